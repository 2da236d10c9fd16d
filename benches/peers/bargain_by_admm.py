"""Nash bargaining of the five plants by ADMM: the same algorithm in cvxpy and in Coase, in one run.

The plants are those of scenarios/library/five_vpps.ron, without the network, which bargaining does not look at. Each member
answers `min f_i(x) + R/2 |x - V|^2` (see mechanisms/src/distributed/pairs.rs); pairs average their copies and prices follow.
cvxpy either builds every problem anew at every step, or once with parameters (its "disciplined parametrised programs"); both
use Clarabel. Coase is the program of this repository, timed by its own timings.csv.

    python bargain_by_admm.py --coase ../../target/release/coase [--variants parameters rebuilt] [--rho 1e-3]
"""

import argparse
import csv
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import cvxpy as cp
import numpy as np

T = 24
BUY = np.array([0.385] * 5 + [0.754] * 2 + [1.02] * 9 + [0.754] * 2 + [1.02] * 3 + [0.754] * 2 + [0.385])
SELL = 0.35
MOST = 2000.0
SUN = np.array([0, 0, 0, 0, 0, 0.02, 0.10, 0.25, 0.43, 0.60, 0.74, 0.83, 0.86, 0.83, 0.74, 0.60, 0.43, 0.25, 0.10, 0.02, 0, 0, 0, 0])
WIND = np.array([0.62, 0.64, 0.66, 0.67, 0.66, 0.63, 0.58, 0.52, 0.45, 0.40, 0.36, 0.33, 0.31, 0.30, 0.31, 0.34, 0.38, 0.43, 0.48, 0.52, 0.55, 0.58, 0.60, 0.61])
WINTER = np.array([67, 63, 60, 59, 59, 60, 74, 86, 95, 96, 96, 95, 95, 95, 93, 94, 99, 100, 100, 96, 91, 83, 73, 63]) / 100
SUMMER = np.array([64, 60, 58, 56, 56, 58, 64, 76, 87, 95, 99, 100, 99, 100, 100, 97, 96, 96, 93, 92, 92, 93, 87, 72]) / 100
OUTDOOR = np.array([25, 24.5, 24, 23.7, 23.5, 23.8, 24.6, 26, 27.6, 29.2, 30.6, 31.8, 32.6, 33, 33, 32.6, 31.8, 30.6, 29.4, 28.3, 27.4, 26.7, 26.1, 25.5])


def renewable(p_max, profile):
    p = cp.Variable(T)
    return p, [p >= 0, p <= p_max * profile], 0.01 * cp.sum(p)


def turbine(p_max):
    p = cp.Variable(T)
    ramp = p[1:] - p[:-1]
    return p, [p >= 0, p <= p_max, ramp <= 0.5 * p_max, ramp >= -0.5 * p_max], 0.4 * cp.sum(p) + 2e-4 * cp.sum_squares(p)


def storage(capacity, power):
    charge, discharge, level = cp.Variable(T), cp.Variable(T), cp.Variable(T)
    before = cp.hstack([0.5 * capacity, level[:-1]])
    rules = [charge >= 0, charge <= power, discharge >= 0, discharge <= power, level >= 0.1 * capacity, level <= 0.9 * capacity]
    rules += [level == before + 0.95 * charge - discharge / 0.95, level[T - 1] == 0.5 * capacity]
    return discharge - charge, rules, 0.02 * cp.sum(charge + discharge)


def cooling():
    kept = np.exp(-1.0 / (0.02 * 50.0))
    p, inside = cp.Variable(T), cp.Variable(T)
    before = cp.hstack([24.0, inside[:-1]])
    rules = [p >= 0, p <= 150, inside >= 22, inside <= 26]
    rules += [inside == kept * before + (1 - kept) * (OUTDOOR - 0.02 * 3.5 * p)]
    return -p, rules, 0.5 * cp.sum_squares(inside - 24.0)


def interruptible(load, compensation):
    p = cp.Variable(T)
    return p, [p >= 0, p <= 0.1 * load], compensation * cp.sum(p)


def shiftable(load):
    away, here = cp.Variable(T), cp.Variable(T)
    rules = [away >= 0, here >= 0, away <= 0.1 * load, here <= 0.1 * load, cp.sum(away) == cp.sum(here)]
    return away - here, rules, 0.02 * cp.sum(away + here)


def vehicles():
    p = cp.Variable(T)
    night, evening = np.zeros(T), np.zeros(T)
    night[:7], evening[18:] = 1, 1
    rules = [p >= 0, p <= 140 * (night + evening)]
    # Twenty vehicles of 50 kWh each, from 26 to at least 38 kWh by seven, from 20 to at least 26 kWh by midnight.
    for present, start, target in [(range(0, 7), 26, 38), (range(18, 24), 20, 26)]:
        gained = 0.95 * cp.cumsum(p[present.start:present.stop])
        rules += [gained <= 20 * (50 - start), gained[len(present) - 1] >= 20 * (target - start)]
    return -p, rules, 0


PLANTS = [
    lambda: (450 * SUMMER, [renewable(1500, SUN), storage(800, 200), cooling()]),
    lambda: (500 * WINTER, [turbine(300), interruptible(500 * WINTER, 0.80)]),
    lambda: (350 * WINTER, [renewable(250, WIND), interruptible(350 * WINTER, 1.10), vehicles()]),
    lambda: (350 * np.ones(T), [renewable(600, SUN), turbine(600)]),
    lambda: (300 * WINTER, [renewable(900, WIND), storage(600, 150), shiftable(300 * WINTER)]),
]


class Member:
    """One plant's problem: `x` is what it sells to the others."""

    def __init__(self, plant):
        load, devices = plant()
        self.x, bought, sold = cp.Variable(T), cp.Variable(T), cp.Variable(T)
        rules = [bought >= 0, bought <= MOST, sold >= 0, sold <= MOST]
        rules.append(sum(power for power, _, _ in devices) - load + bought - sold == self.x)
        self.rules = rules + [rule for _, own, _ in devices for rule in own]
        self.cost = BUY @ bought - SELL * cp.sum(sold) + sum(cost for _, _, cost in devices)

    def at(self, trade):
        cp.Problem(cp.Minimize(self.cost), self.rules + [self.x == trade]).solve(solver=cp.CLARABEL)
        return self.cost.value


class Rebuilt:
    """Builds its problem at every step."""

    def __init__(self, plant, weight):
        self.plant, self.weight = plant, weight

    def step(self, centre):
        member = Member(self.plant)
        pull = 0.5 * self.weight * cp.sum_squares(member.x - centre)
        cp.Problem(cp.Minimize(member.cost + pull), member.rules).solve(solver=cp.CLARABEL)
        return member.x.value


class Parametrised:
    """Builds its problem once; the centre is a parameter."""

    def __init__(self, plant, weight):
        self.member, self.weight = Member(plant), weight
        self.slope = cp.Parameter(T)
        pull = 0.5 * weight * cp.sum_squares(self.member.x) - self.slope @ self.member.x
        self.problem = cp.Problem(cp.Minimize(self.member.cost + pull), self.member.rules)

    def step(self, centre):
        self.slope.value = self.weight * centre
        self.problem.solve(solver=cp.CLARABEL)
        return self.member.x.value


def bargain(kind, rho, tolerance, most):
    """Bills after bargaining with equal weights, and the number of iterations."""
    n = len(PLANTS)
    alone = np.array([Member(plant).at(np.zeros(T)) for plant in PLANTS])
    members = [kind(plant, rho / (n - 1)) for plant in PLANTS]
    others = ~np.eye(n, dtype=bool)
    sale, price = np.zeros((n, n, T)), np.zeros((n, n, T))
    for iteration in range(1, most + 1):
        wish = (sale + price / rho) * others[:, :, None]
        centre = wish.sum(axis=1)
        net = np.array([member.step(c) for member, c in zip(members, centre)])
        held = (wish + ((net - centre) / (n - 1))[:, None, :]) * others[:, :, None]
        agreed = 0.5 * (held - held.transpose(1, 0, 2))
        primal, dual = np.linalg.norm(held - agreed), np.linalg.norm(rho * (agreed - sale))
        price, sale = price - rho * (held - agreed), agreed
        ones = np.sqrt(n * (n - 1) * T)
        quantity = max(np.linalg.norm(held), np.linalg.norm(sale))
        if primal <= tolerance * (ones + quantity) and dual <= tolerance * (ones + np.linalg.norm(price)):
            break
    together = np.array([Member(plant).at(trade) for plant, trade in zip(PLANTS, sale.sum(axis=1))])
    gain = alone.sum() - together.sum()
    return alone - gain / n, iteration


EXPERIMENT = """Experiment(
    scenarios: ["five_vpps"], carbon: ["none"],
    mechanisms: [NashBargaining(solver: Admm(rho: {rho}, tolerance: {tolerance}, max_iterations: {most}))],
)"""


def coase(binary, rho, tolerance, most, repeats):
    """Bills, iterations and the seconds of the mechanism: the median of some runs."""
    seconds = []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            file, out = Path(folder) / "bargain.ron", Path(folder) / "out"
            file.write_text(EXPERIMENT.format(rho=rho, tolerance=tolerance, most=most))
            subprocess.run([binary, "run", str(file), "--out", str(out)], check=True, stdout=subprocess.DEVNULL)
            table = lambda name: list(csv.DictReader((out / f"{name}.csv").open()))
            seconds.append(float(table("timings")[0]["mechanism_s"]))
            bills = np.array([float(row["total_cost"]) for row in table("participants")])
            iterations = int(table("runs")[0]["iterations"])
    return bills, iterations, statistics.median(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--coase", required=True, help="the program, built with --release")
    parser.add_argument("--variants", nargs="+", default=["parameters", "rebuilt"], choices=["parameters", "rebuilt"])
    parser.add_argument("--rho", type=float, default=1e-3)
    parser.add_argument("--tolerance", type=float, default=1e-6)
    parser.add_argument("--most", type=int, default=500, help="iterations at most")
    parser.add_argument("--repeats", type=int, default=9, help="runs of Coase, of which the median counts")
    asked = parser.parse_args()
    bills, iterations, seconds = coase(asked.coase, asked.rho, asked.tolerance, asked.most, asked.repeats)
    print(f"Coase: {1e3 * seconds:.1f} ms, {iterations} iterations, total {bills.sum():.6f}")
    for name in asked.variants:
        begin = time.perf_counter()
        kind = {"parameters": Parametrised, "rebuilt": Rebuilt}[name]
        others, count = bargain(kind, asked.rho, asked.tolerance, asked.most)
        took = time.perf_counter() - begin
        apart = np.abs(others - bills).max() / np.abs(bills).max()
        print(f"cvxpy, {name}: {took:.2f} s, {count} iterations, total {others.sum():.6f}, bills apart {apart:.1e}")
        print(f"  Coase is {took / seconds:.0f} times as fast, {took / count * iterations / seconds:.0f} times by iteration")
        if apart > 1e-5:
            raise SystemExit("the answers differ")


if __name__ == "__main__":
    main()
