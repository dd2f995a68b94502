"""Runs Lava programs on Lava's own simulator, inside Lava's environment: Python 3.10, numpy and Lava, no more.

    python -I lava_worker/__main__.py JOB [JOB ...]

runs one job after the other. It reads its standard input, and ends when that ends. Nothing outside this folder is used,
and nothing in this folder is imported by the rest of the package.

A JOB is a folder. In it lie, before:

    program.json    {"steps": T, "samples": B,
                     "inputs":      {NAME: VALUE},
                     "processes":   [{"name": NAME, "type": TYPE, "parameters": {…}, "initial": {VARIABLE: VALUE}}],
                     "connections": [{"from": "NAME.PORT", "to": "NAME.PORT", "transforms": [["flatten"], …]}],
                     "record":      ["NAME.MEMBER", …]}
    arrays.npz      what the VALUEs refer to
    progress        eight bytes, a little-endian integer: how many of the T·B steps are done

A NAME may hold dots; what stands behind the last one is a PORT, a VARIABLE or a MEMBER, which is either.

Inputs are integers [T, B, *shape], of 32 bits and at least one dimension; the port NAME.s_out sends one step after the
other. A TYPE is a key of `KINDS` in kinds.py, or "Concat"; its parameters are those of the constructor of Lava's class
of that name. A VALUE is a number, a list (which becomes a tuple), {"array": KEY}, or {"sparse": KEY, "shape": [out,
in]}, which stands for the arrays KEY.rows, KEY.columns and KEY.values. `sign_mode` and `act_mode` are names of Lava's
enumerations. `initial` replaces what the constructor gave a variable. A value that the data
type of Lava's variable would change is refused.

Transforms, from source to target: ["reshape", shape], ["flatten"], ["transpose", axes]. Connections into one port add
up; the same two ports cannot be connected twice. Lava's ports cannot be concatenated; so {"type": "Concat",
"parameters": {"shapes": […], "axis": k}} is a process of ours with ports in0, in1, …, and s_out, which sends what it
receives in the same step.

What is recorded, [T, B, *shape]: a variable, as it is at the end of each step; an output port: what it sends; an input
port: what it receives, all connections added up. Every sample starts from the state before the first step, at time
step 1. A program whose processes would wait for each other for ever (a loop without a synapse in it) is refused.

After the run there lie:

    status.json     {"state": "done", "moments": {"imported", "begun", "built", "done"}}  (by the monotonic clock) or
                    {"state": "failed", "where": NAME or "", "found": text, "trace": text}
    0.npy, 1.npy …  what was recorded, in the order of "record"

Every process of Lava is a child of the job's, and the kernel kills it when that ends, however it ends. Channels lie in
memory that only children inherit, so that nothing can stay behind in /dev/shm.
"""
