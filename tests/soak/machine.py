"""What the whole machine does, for benchmarks that must know whether they had it to themselves."""

from __future__ import annotations

import os
from pathlib import Path


def busy() -> float:
    """CPU seconds that all cores have had since the machine started; 0 where there is no /proc."""
    try:
        ticks = Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()[1:9]
    except OSError:
        return 0.0
    # user nice system (idle iowait) irq softirq steal
    return sum(int(ticks[at]) for at in (0, 1, 2, 5, 6, 7)) / os.sysconf("SC_CLK_TCK")
