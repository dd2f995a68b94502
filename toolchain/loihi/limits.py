"""What the registers of Loihi hold, each number with where it is from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of one chip's registers, as Lava 0.10's bit-accurate models and lava-dl 0.6's loader have them.

    Args:
        weight_bits: bits of a weight without its sign (lava/utils/weightutils.py: clip_weights, num_bits=8).
        decay_bits: bits of a decay; 2**decay_bits forgets all (lava/proc/lif/models.py: decay_shift).
        state_bits: bits of u and v with sign (lava/proc/lif/models.py: uv_bitwidth).
        threshold_bits: bits of a threshold's mantissa (lava/proc/lif/models.py: vth, precision 17).
        bias_bits: bits of a bias' mantissa with sign (lava/proc/lif/models.py: bias_mant, precision 13).
        bias_exponent: the largest exponent of a bias (lava/proc/lif/models.py: bias_exp, unsigned 3 bits).
        align_bits: by how many bits input and threshold are shifted up (lava/proc/lif/models.py: act_shift, vth_shift).
        delay: the longest delay of a synapse that lava-dl writes, in steps (lava-dl 0.6, netx/blocks: clamp to 62).
        message_bits: the most bits of a graded spike's payload (lava/proc/dense/process.py: num_message_bits, 24 here).
    """

    weight_bits: int = 8
    decay_bits: int = 12
    state_bits: int = 24
    threshold_bits: int = 17
    bias_bits: int = 13
    bias_exponent: int = 7
    align_bits: int = 6
    delay: int = 62
    message_bits: int = 24

    @property
    def decay_unity(self) -> int:
        """The decay that forgets all."""
        return 1 << self.decay_bits

    @property
    def most_state(self) -> int:
        """The largest magnitude of a saturating state."""
        return (1 << (self.state_bits - 1)) - 1

    @property
    def most_threshold(self) -> int:
        """The largest mantissa of a threshold."""
        return (1 << self.threshold_bits) - 1

    @property
    def most_bias(self) -> int:
        """The largest mantissa of a bias."""
        return (1 << (self.bias_bits - 1)) - 1


LOIHI2 = Limits()
