"""The Runge-Kutta methods that a block can be unrolled with, and how to find one by name or in a user's file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from hemonode.errors import ExportError
from hemonode.export.butcher import Tableau
from hemonode.export.tableau_file import read_tableau

__all__ = ["TABLEAUS", "Tableau", "find_tableau"]


def _method(
    name: str, order: int, *, c: str, a: tuple[str, ...], b: str, low: str | None = None, low_order: int | None = None
) -> Tableau:
    """A tableau as it is printed in a book, its first, empty row left out."""
    return Tableau(name, order, _row(c), ((), *map(_row, a)), _row(b), None if low is None else _row(low), low_order)


def _row(text: str) -> tuple[Fraction, ...]:
    return tuple(map(Fraction, text.split()))


# Fractions as printed: Hairer, Nørsett and Wanner, Solving Ordinary Differential Equations I, sections II.1, II.4
# and II.5; Bogacki and Shampine 1989; Cash and Karp 1990; Tsitouras 2011. A new method is one entry.
# `low` is the second solution that the error estimate needs. Euler's, the midpoint's, Ralston's and both fourth-order
# rules have none in the books: theirs takes in the slope at the end of the step, which the next step needs in any
# case. For orders 1 and 2 it is chosen so that the estimate is exact for dh/dt = λh; for order 4 the last stage's
# weight moves to that slope. Kutta's third-order rule holds the midpoint rule.
TABLEAUS: dict[str, Tableau] = {
    tableau.name: tableau
    for tableau in (
        _method("euler", 1, c="0", a=(), b="1", low="1/2 1/2", low_order=2),
        _method("midpoint", 2, c="0 1/2", a=("1/2",), b="0 1", low="1/3 1/3 1/3", low_order=2),
        _method("heun", 2, c="0 1", a=("1",), b="1/2 1/2", low="1 0", low_order=1),
        _method("ralston", 2, c="0 2/3", a=("2/3",), b="1/4 3/4", low="5/12 1/4 1/3", low_order=2),
        _method("kutta3", 3, c="0 1/2 1", a=("1/2", "-1 2"), b="1/6 2/3 1/6", low="0 1 0", low_order=2),
        _method(
            "bs3",
            3,
            c="0 1/2 3/4 1",
            a=("1/2", "0 3/4", "2/9 1/3 4/9"),
            b="2/9 1/3 4/9 0",
            low="7/24 1/4 1/3 1/8",
            low_order=2,
        ),
        _method(
            "rk4",
            4,
            c="0 1/2 1/2 1",
            a=("1/2", "0 1/2", "0 0 1"),
            b="1/6 1/3 1/3 1/6",
            low="1/6 1/3 1/3 0 1/6",
            low_order=3,
        ),
        _method(
            "rk38",
            4,
            c="0 1/3 2/3 1",
            a=("1/3", "-1/3 1", "1 -1 1"),
            b="1/8 3/8 3/8 1/8",
            low="1/12 1/2 1/4 0 1/6",
            low_order=3,
        ),
        _method(
            "fehlberg45",
            4,
            c="0 1/4 3/8 12/13 1 1/2",
            a=(
                "1/4",
                "3/32 9/32",
                "1932/2197 -7200/2197 7296/2197",
                "439/216 -8 3680/513 -845/4104",
                "-8/27 2 -3544/2565 1859/4104 -11/40",
            ),
            b="25/216 0 1408/2565 2197/4104 -1/5 0",
            low="16/135 0 6656/12825 28561/56430 -9/50 2/55",
            low_order=5,
        ),
        _method(
            "cash-karp",
            5,
            c="0 1/5 3/10 3/5 1 7/8",
            a=(
                "1/5",
                "3/40 9/40",
                "3/10 -9/10 6/5",
                "-11/54 5/2 -70/27 35/27",
                "1631/55296 175/512 575/13824 44275/110592 253/4096",
            ),
            b="37/378 0 250/621 125/594 0 512/1771",
            low="2825/27648 0 18575/48384 13525/55296 277/14336 1/4",
            low_order=4,
        ),
        # The second solution is Shampine's of 1986, as in torchdiffeq: its estimate is 2/3 of Dormand and Prince's.
        _method(
            "dopri5",
            5,
            c="0 1/5 3/10 4/5 8/9 1 1",
            a=(
                "1/5",
                "3/40 9/40",
                "44/45 -56/15 32/9",
                "19372/6561 -25360/2187 64448/6561 -212/729",
                "9017/3168 -355/33 46732/5247 49/176 -5103/18656",
                "35/384 0 500/1113 125/192 -2187/6784 11/84",
            ),
            b="35/384 0 500/1113 125/192 -2187/6784 11/84 0",
            low="1951/21600 0 22642/50085 451/720 -12231/42400 649/6300 1/60",
            low_order=4,
        ),
        # Of the 16 printed decimals one condition misses by 1.1e-14. These keep all to 1e-17: the nearest solution with
        # the printed c2, c3, c4 and a72 = 1/100, by Newton's method in 60 digits; none moves by more than 4e-16.
        _method(
            "tsit5",
            5,
            c="0 0.161 0.327 0.9 0.980025540904509686 1 1",
            a=(
                "0.161",
                "-0.008480655492356989 0.335480655492356989",
                "2.89715305710549353 -6.359448489975075036 4.362295432869581506",
                "5.325864828439256835 -11.74888356406282834 7.495539342889836441 -0.09249506636175525",
                "5.861455442946420269 -12.920969317847109768 "
                "8.15936789857615888 -0.071584973281401 -0.028269050394068381",
                "0.09646076681806523 0.01 0.479889650414499575 "
                "1.379008574103741886 -3.290069515436080765 2.324710524099774075",
            ),
            b="0.09646076681806523 0.01 0.479889650414499575 1.379008574103741886 "
            "-3.290069515436080765 2.324710524099774075 0",
            low="0.094680755765839508 0.009183565540343102 0.487770528424761696 1.234297566930478927 "
            "-2.707712349983525585 1.8666284181705872 1/66",
            low_order=4,
        ),
    )
}


def find_tableau(name_or_path: str) -> Tableau:
    """The method of that name, or the one in that TOML file (see `hemonode.export.tableau_file`).

    Raises:
        ExportError: no method has that name, or the file holds no consistent tableau.
    """
    if name_or_path in TABLEAUS:
        return TABLEAUS[name_or_path]
    if name_or_path.endswith(".toml"):
        return read_tableau(Path(name_or_path))
    raise ExportError(
        f"no method is called '{name_or_path}': choose one of {', '.join(TABLEAUS)}, or name a TOML file of your own"
    )
