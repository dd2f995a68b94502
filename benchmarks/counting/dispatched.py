"""Every operation that torch dispatches in one thread, seen and counted, in the modules and neurons that run it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _python_dispatch as python_dispatch

from ...toolchain.errors import SimulationError, UsageError
from ...toolchain.graph.signal import GRADED, Carries
from ...toolchain.graph.signal import carries as read_carries
from ..operations import Promise
from .aten_calls import Call, Plan, Row, plan_of, size, tensors_in
from .aten_table import INSIDE, ROWS
from .book import Book
from .fans import Fans
from .neuron_modules import NEURONS, Neurons, Region
from .nonzeros import looked_at
from .places import Places, row_of
from .provenance import CONSTANT, REAL, SENT, WEIGHT, Origin, Origins


class Counting(python_dispatch.TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees every operation that torch dispatches in this thread, and counts it.

    Args:
        module: the network, whose parameters are weights and whose modules give layers their names.
        carries: what its inputs promise to carry; or each that it takes by name, the others real numbers.
        infer_from_values: whether what is not known is told by a look at the values.
    """

    def __init__(self, module: nn.Module, carries: Promise = "graded", *, infer_from_values: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        by_name = carries if isinstance(carries, Mapping) else {}
        self.promises = {name: read_carries(each) for name, each in by_name.items()}
        self.promise = GRADED if isinstance(carries, Mapping) else read_carries(carries)
        self.module, self.infer = module, infer_from_values
        self.book, self.origins, self.places, self.fans = Book(), Origins(), Places(module), Fans()
        self.neurons = Neurons(self.book, self.origins)
        self.specs: dict[type, Any] = {}
        self.quiet, self.aside, self.seconds, self.thread = 0, False, 0.0, threading.get_ident()
        for tensor in (*module.parameters(), *module.buffers()):
            self.origins.note(tensor, WEIGHT)
        self.fixed = {each.untyped_storage()._cdata for each in module.parameters()}

    def take(self, args: Any, kwargs: Mapping[str, Any]) -> None:
        """Tensors are inputs of the network, unless they are known already."""
        with self.unseen():
            for name, value in (("", args), *kwargs.items()):
                promise = self.promises.get(name, self.promise)
                for tensor in tensors_in(value):
                    if not self.origins.knows(tensor):
                        self.origins.note(tensor, Origin(self._promised(tensor, promise), "signal", first=True))

    @contextmanager
    def unseen(self) -> Iterator[None]:
        """Within, nothing is counted."""
        self.quiet += 1
        self._step_aside()
        try:
            yield
        finally:
            self.quiet -= 1
            self._step_back()

    def _promised(self, tensor: Tensor, promise: Carries) -> Carries:
        if self.infer and promise.graded:
            found = looked_at(tensor)
            self.book.note(f"an input of the network was taken to carry {found}, by a look at its values")
            return found
        if not promise.graded and not promise.holds(looked_at(tensor)):
            found_ = f"values of {looked_at(tensor)}"
            raise UsageError("inputs", found_, f"{promise}, as promised", "promise what they carry")
        return promise

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """One operation of torch."""
        kwargs = kwargs or {}
        if self.quiet or self._in_backward():
            return func(*args, **kwargs)
        plan = plan_of(func)
        if self.neurons.running:
            return self._inside(func, plan, args, kwargs)
        row = ROWS.get(plan.name)
        if row is None and not plan.view:
            with self:
                parts = func.decompose(*args, **kwargs)
            if parts is not NotImplemented:
                return parts
        return self._viewed(func, args, kwargs) if plan.view else self._ran(func, plan, row, args, kwargs)

    def _in_backward(self) -> bool:
        if torch._C._current_graph_task_id() == -1:
            return False
        self.book.note("backward passes ran, and are not counted")
        return True

    def _viewed(self, func: Any, args: Any, kwargs: Any) -> Any:
        """A view shares its memory, and with it its origin; where torch had to copy after all, it is noted."""
        out = func(*args, **kwargs)
        source = next(tensors_in(args), None)
        if source is not None and self.origins.knows(source):
            for each in tensors_in(out):
                if not self.origins.knows(each):
                    self.origins.note(each, self.origins.of(source))
        return out

    def _call(self, plan: Plan, args: Any, kwargs: Any, promoted: Mapping[int, Origin] | None = None) -> Call:
        return Call(plan.name, args, kwargs, None, self.origins, self.book, self.places, self.fans, promoted)

    def _ran(self, func: Any, plan: Plan, row: Row | None, args: Any, kwargs: Any) -> Any:
        """An operation that makes values: counted, and what it made is noted."""
        call = self._call(plan, args, kwargs)
        if row is not None and row.count is None:
            return self._free(func, plan, row, call)
        live = any(origin.live for origin in call.parts())
        if not live:
            call.promoted = self._promoted(call)
            live = bool(call.promoted)
        if row is None:
            return self._missed(func, plan, call, live=live)
        counted = (live or row.always) and not self._fixed(plan, args)
        if counted and plan.written:  # before the values that it reads are gone
            call.out = args[plan.written[0][0]] if len(args) > plan.written[0][0] else kwargs[plan.written[0][1]]
            self._count(row, call)
        if plan.written:
            self.neurons.settle()
        sends = row.sends(call)
        out = func(*args, **kwargs)
        if counted and not plan.written:
            call.out = out
            self._count(row, call)
        self.neurons.settle(all_=False)
        self._note(plan, call, out, sends)
        return out

    def _count(self, row: Row, call: Call) -> None:
        with self._placed():
            if row.count is not None:
                row.count(call)

    @contextmanager
    def _placed(self) -> Iterator[None]:
        """Within, what is wrong with a value names the call of the module, too, if that is not its first."""
        try:
            yield
        except SimulationError as error:
            call = self.places.call()
            raise error if call == 1 else error.inside(f"call {call}") from None

    def _free(self, func: Any, plan: Plan, row: Row, call: Call) -> Any:
        """An operation that computes nothing: what it made is noted."""
        if plan.written:
            self.neurons.settle()
        sends = row.sends(call)
        out = func(*call.args, **call.kwargs)
        self._note(plan, call, out, sends)
        if plan.name == "clone":
            self.origins.copied(out, call.args[0])
        return out

    def _fixed(self, plan: Plan, args: Any) -> bool:
        """Whether it writes into a parameter: training, no forward pass."""
        return any(
            place < len(args) and isinstance(args[place], Tensor) and args[place].untyped_storage()._cdata in self.fixed
            for place, _ in plan.written
        )

    def _note(self, plan: Plan, call: Call, out: Any, sends: Origin) -> None:
        for place, name in plan.written:
            target = call.arg(place, name)
            for each in tensors_in(target):
                if each.untyped_storage()._cdata not in self.fixed:
                    self.origins.write(each, sends)
        if not plan.written:
            for each in tensors_in(out):
                self.origins.note(each, sends)

    def _promoted(self, call: Call) -> dict[int, Origin]:
        """Tensors that nobody made, where no other is a signal: they are signals, too."""
        return {id(each): self._strange(each, call.where()) for each in call.tensors if not self.origins.knows(each)}

    def _strange(self, tensor: Tensor, where: str) -> Origin:
        """A signal that torch did not make."""
        with self.unseen():
            origin = Origin(looked_at(tensor)) if self.infer else REAL
        how = "by a look at its values" if self.infer else "for want of better knowledge"
        self.book.note(f"{where}: a tensor that torch did not make was taken to carry {origin.carries}, {how}")
        return origin

    def _missed(self, func: Any, plan: Plan, call: Call, *, live: bool) -> Any:
        """An operation that no row knows: listed, with its time."""
        self.neurons.settle()
        start = time.perf_counter()
        out = func(*call.args, **call.kwargs)
        if live:
            self.book.miss(plan.name, self.places.name(plan.name), size(out), time.perf_counter() - start)
        self._note(plan, call, out, REAL if live else CONSTANT)
        return out

    def _inside(self, func: Any, plan: Plan, args: Any, kwargs: Any) -> Any:
        """Inside a neuron nothing counts but its weights."""
        region = self.neurons.running[-1]
        out = func(*args, **kwargs)
        if not region.spec.weights or plan.name not in INSIDE or plan.written:
            return out
        layer = self._layer_inside(region, args)
        if not layer:
            return out
        if not (region.spec.once and layer in region.done):
            region.done.add(layer)
            self._weighed(plan, args, kwargs, out, layer)
        return out

    def _layer_inside(self, region: Region, args: Any) -> str:
        """The layer of weights inside a neuron: by the name of the parameter, or of the module that holds it."""
        path = region.where.path
        held = self.places.stack[-1].path
        names = [held, *(self.places.parameter(each) for each in tensors_in(args))]
        inner = (name[len(path) :].strip(".").partition(".")[0] for name in names if name.startswith(path))
        return next((region.spec.weights[name] for name in inner if name in region.spec.weights), "")

    def _weighed(self, plan: Plan, args: Any, kwargs: Any, out: Tensor, layer: str) -> None:
        """Weights inside a neuron: what they read, if nobody knows it, is what the neuron sent itself."""
        region = self.neurons.running[-1]
        summed = False
        if plan.name == "addmm" and not self.places.parameter(args[0]):
            states, weight = args[1:3]
            plan, args, summed = replace(plan, name="mm"), (states, weight), True
        reads = args[plan.name in ("addmm", "baddbmm")]
        if not self.origins.of(reads).live:
            self.origins.note(reads, SENT)
        call = self._call(plan, args, kwargs)
        call.label, call.out = f"{region.name}.{layer}", out
        row = ROWS[plan.name]
        self._count(row, call)
        self.neurons.weighed(layer, out, summed=summed)

    def enter(self, module: nn.Module, args: Any) -> None:
        """A module is called."""
        if threading.get_ident() != self.thread:
            return
        self.places.enter(module)
        if module is self.module:
            self.take(args, {})
        kind = type(module)
        if kind not in self.specs:
            self.specs[kind] = row_of(module, NEURONS)
        spec = self.specs[kind]
        if spec is not None:
            self.neurons.enter(spec, self.places.stack[-1], args)
            if not spec.weights:
                self.quiet += 1
                self._step_aside()

    def _step_aside(self) -> None:
        """Inside a neuron without weights torch runs as it would without us."""
        if self.aside or python_dispatch._get_current_dispatch_mode() is not self:
            return
        python_dispatch._pop_mode()
        self.aside = True

    def _step_back(self) -> None:
        if self.aside and not self.quiet:
            python_dispatch._push_mode(self)
            self.aside = False

    def leave(self, module: nn.Module, args: Any, *answer: Any) -> None:
        """A module has answered, (named arguments, result), or failed, (nothing,)."""
        if threading.get_ident() != self.thread or not self.places.stack:
            return
        spec = self.specs.get(type(module))
        if spec is not None:
            if not spec.weights:
                self.quiet -= 1
                self._step_back()
            with self.unseen(), self._placed():
                self.neurons.leave(answer[-1], (args, answer[:-1]))
        elif not self.quiet and not self.neurons.running:
            self._unknown(answer[-1])
        self.places.leave()
        if not self.places.stack and len(answer) > 1:
            self.finish()

    def finish(self) -> None:
        """What waits for the next operation waits no more."""
        with self.unseen():
            self.neurons.settle()

    def _unknown(self, result: Any) -> None:
        """What a module answers with that torch did not make is a signal all the same."""
        for each in tensors_in(result):
            if not self.origins.knows(each):
                self.origins.note(each, self._strange(each, self.places.name("answer")))
