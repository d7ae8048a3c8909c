"""Every method is what it says: by the rooted-tree conditions, and by what other libraries print of it."""

from __future__ import annotations

import re
from fractions import Fraction
from math import prod
from operator import mul

import pytest
import scipy.integrate
from torchdiffeq._impl.dopri5 import _DORMAND_PRINCE_SHAMPINE_TABLEAU as SHAMPINE

from hemonode.errors import ExportError
from hemonode.export.rooted_trees import broken_conditions, density, label, nodes, trees
from hemonode.export.tableau import TABLEAUS, Tableau, find_tableau

EXACT = 1e-14
EVERY = pytest.mark.parametrize("tableau", TABLEAUS.values(), ids=TABLEAUS)


def test_the_rooted_trees_are_those_of_the_books():
    # Counts: OEIS A000081. Densities of the trees of order 4: Hairer, Nørsett and Wanner, table II.2.1.
    assert [len(trees(size)) for size in range(1, 9)] == [1, 1, 2, 4, 9, 20, 48, 115]
    assert {label(tree): density(tree) for tree in trees(4)} == {
        "[τ,τ,τ]": 4,
        "[[τ],τ]": 8,
        "[[τ,τ]]": 12,
        "[[[τ]]]": 24,
    }
    assert {nodes(tree) for tree in trees(6)} == {6}


def _worst(a, weights, orders) -> Fraction:
    """The largest defect of these orders, exactly."""

    def stage_weights(tree):
        below = [stage_weights(child) for child in tree]
        return [prod(sum(map(mul, row, one)) for one in below) for row in a]

    conditions = [tree for order in orders for tree in trees(order)]
    return max(abs(sum(map(mul, weights, stage_weights(tree))) - Fraction(1, density(tree))) for tree in conditions)


@EVERY
def test_every_method_has_the_order_it_states_and_no_more(tableau):
    assert _worst(tableau.a, tableau.b, range(1, tableau.order + 1)) < EXACT
    assert _worst(tableau.a, tableau.b, [tableau.order + 1]) > 1e-4


@EVERY
def test_every_estimate_compares_with_a_solution_of_the_order_it_states_and_no_more(tableau):
    # The slope at the end of the step is a stage like the others, whose coefficients are b.
    rows = [*tableau.a, tableau.b][: len(tableau.b_low)]
    assert _worst(rows, tableau.b_low, range(1, tableau.low_order + 1)) < EXACT
    assert _worst(rows, tableau.b_low, [tableau.low_order + 1]) > 1e-4


@EVERY
def test_the_check_of_a_tableau_finds_what_is_broken_at_the_next_order(tableau):
    broken = list(broken_conditions(tableau.a, tableau.b, [tableau.order, tableau.order + 1], EXACT))
    assert {condition.order for condition in broken} == {tableau.order + 1}
    assert max(condition.defect for condition in broken) == _worst(tableau.a, tableau.b, [tableau.order + 1])


@pytest.mark.parametrize(("name", "solver"), [("bs3", scipy.integrate.RK23), ("dopri5", scipy.integrate.RK45)])
def test_the_coefficients_are_scipys(name, solver):
    tableau = TABLEAUS[name]
    assert [float(place) for place in tableau.c[:-1]] == pytest.approx(list(solver.C), abs=EXACT)
    for row, theirs in zip(tableau.a, solver.A, strict=False):
        assert [float(value) for value in row] == pytest.approx(list(theirs[: len(row)]), abs=EXACT)
    assert [float(weight) for weight in tableau.b[:-1]] == pytest.approx(list(solver.B), abs=EXACT)


def test_the_estimates_are_scipys_and_torchdiffeqs():
    bs3, dopri5 = ([float(w) for w in TABLEAUS[name].error_weights] for name in ("bs3", "dopri5"))
    # Made to one weight per slope; the sign is of no account.
    assert [*bs3[:-2], bs3[-1]] == pytest.approx(list(-scipy.integrate.RK23.E), abs=EXACT)
    assert [*dopri5[:-2], dopri5[-1]] == pytest.approx(SHAMPINE.c_error.tolist(), abs=EXACT)


def test_methods_that_end_on_their_next_first_stage_are_found_out_not_told():
    assert [name for name, tableau in TABLEAUS.items() if tableau.fsal] == ["bs3", "dopri5", "tsit5"]
    pairs = ["heun", "kutta3", "bs3", "fehlberg45", "cash-karp", "dopri5", "tsit5"]
    assert [name for name, tableau in TABLEAUS.items() if tableau.is_pair] == pairs


@pytest.mark.parametrize(
    ("name", "plain", "estimated"),
    [("euler", 4, 5), ("heun", 8, 8), ("bs3", 12, 13), ("rk4", 16, 17), ("fehlberg45", 20, 24), ("dopri5", 24, 25)],
)
def test_evaluations_leave_out_what_nothing_needs_and_count_the_estimates_own(name, plain, estimated):
    assert TABLEAUS[name].evaluations(4) == plain
    assert TABLEAUS[name].evaluations(4, estimate=True) == estimated


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"c": (0, 0.4), "a": ((), (0.5,)), "b": (0, 1)}, "row 1 sums to 0.5, but c is 0.4"),
        ({"c": (0, 0.5), "a": ((), (0.5,)), "b": (0.5, 0.6)}, "weights b sum to 1.1, not 1"),
        ({"c": (0, 0.5), "a": ((), (0.25, 0.25)), "b": (0, 1)}, "not explicit: row 1 of a must have 1 entries, not 2"),
        ({"c": (0,), "a": ((), (0.5,)), "b": (0, 1)}, "one entry per stage"),
        ({"c": (), "a": (), "b": ()}, "one entry per stage"),
        ({"c": (0, 0.5), "a": ((), (0.5,)), "b": (0.5, 0.5)}, "b is not of order 2: the order-2 condition of the tree"),
        ({"c": (0, 0.5), "a": ((), (0.5,)), "b": (0, 1), "b_low": (1, 0)}, "b_low and low_order are given together"),
        (
            {"c": (0, 0.5), "a": ((), (0.5,)), "b": (0, 1), "b_low": (1,), "low_order": 1},
            "b_low must have 2 weights, one per stage, or one more",
        ),
        (
            {"c": (0, 0.5), "a": ((), (0.5,)), "b": (0, 1), "b_low": (1, 0), "low_order": 2},
            "b_low is not of order 2: the order-2 condition of the tree [τ] gives 0, not 1/2",
        ),
        ({"order": 0, "c": (0, 0.5), "a": ((), (0.5,)), "b": (0, 1)}, "orders from 1 to 10 can be proved, not 0"),
        ({"c": (0, float("nan")), "a": ((), (0.5,)), "b": (0, 1)}, "holds a coefficient that is no number"),
    ],
)
def test_a_wrong_tableau_is_refused_with_the_condition_it_breaks(fields, sentence):
    with pytest.raises(ExportError, match=f"'wrong'.*{re.escape(sentence)}"):
        Tableau("wrong", **{"order": 2, **fields})


RALSTON3 = """
name = "ralston3"
order = 3
c = [0, "1/2", 0.75]
a = [[], ["1/2"], [0, "3/4"]]
b = ["2/9", "1/3", "4/9"]
"""


@pytest.fixture
def write_toml(tmp_path):
    def write(text):
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_a_users_own_tableau_is_read_from_a_file(write_toml):
    tableau = find_tableau(write_toml(RALSTON3))
    assert (tableau.name, tableau.order, tableau.stages, tableau.b_low) == ("ralston3", 3, 3, None)
    assert tableau.a[2] == (0, Fraction(3, 4))
    assert find_tableau("rk4") is TABLEAUS["rk4"]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('b = ["2/9", "1/3", "4/9"]', 'b = ["2/9", "4/9", "1/3"]', "'ralston3': b is not of order 3: the order-2"),
        ("order = 3", "order = 4", "b is not of order 4: the order-4 condition of the tree"),
        ('"4/9"', '"4/0"', "divides by zero"),
        ('"4/9"', "true", "neither a number nor a fraction"),
        ('"4/9"', "nan", "neither a number nor a fraction"),
        ("order = 3", "", "not valid at 'order'"),
        ("order = 3", "order = 3\nfsal = true", "not valid at 'fsal'"),
        ('"ralston3"', '"../ralston3"', "not valid at 'name'"),
        ("[0, ", "0, ", "cannot be read as TOML"),
    ],
)
def test_a_damaged_tableau_file_says_what_is_wrong_with_it(write_toml, old, new, sentence):
    with pytest.raises(ExportError, match=f"mine.toml.*{re.escape(sentence)}"):
        find_tableau(write_toml(RALSTON3.replace(old, new, 1)))


def test_an_unknown_method_is_named_with_those_there_are():
    with pytest.raises(ExportError, match=r"no method is called 'rk5': choose one of euler, midpoint.*TOML file"):
        find_tableau("rk5")
    with pytest.raises(ExportError, match=r"none\.toml cannot be read"):
        find_tableau("none.toml")
