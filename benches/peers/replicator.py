"""A replicator of three options for 100,000 steps: EGTTools and Coase, in one run.

EGTTools (Fernandez Domingos, Santos and Lenaerts, 2023) works out the replicator equation of a matrix game in compiled code; a step of
Euler's method is added here. Coase's steps are timed by `cargo bench`; its program tells where the same game rests. The game is that
of the benchmark: 150 kWh choose among three sellers whose price rises with their share.

    python replicator.py --coase ../../target/release/coase [--steps 100000]
"""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from egttools.analytical import replicator_equation

ROOT = Path(__file__).resolve().parents[2]
NEED = 150.0
PRICE = [0.55, 0.60, 0.50]
QUANTITY = [100.0, 60.0, 80.0]
CONGESTION = [0.30, 0.20, 0.25]


def peer(steps):
    """Where EGTTools' replicator ends, and the seconds it took."""
    # Shares sum to 1, so that a cost p + k y / E of each option is a matrix game.
    payoffs = -np.array([[p + (k * NEED / e if i == j else 0.0) for j in range(3)]
                         for i, (p, k, e) in enumerate(zip(PRICE, CONGESTION, QUANTITY))])
    x = np.full(3, 1 / 3)
    begin = time.perf_counter()
    for _ in range(steps):
        x = x + 0.5 * replicator_equation(x, payoffs)
        # Off the simplex rounding errors grow: a step ends on it.
        x /= x.sum()
    return x, time.perf_counter() - begin


def coase(binary):
    """Where the same game rests in Coase."""
    sellers = ", ".join(f'(id: "s{k}", price_per_kwh: {p}, quantity_kwh: {e}, congestion_per_kwh: {c})'
                        for k, (p, e, c) in enumerate(zip(PRICE, QUANTITY, CONGESTION)))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "population.ron"
        file.write_text(f'Population(sellers: [{sellers}], buyers: [(id: "b", quantity_kwh: {NEED})])')
        done = subprocess.run([binary, "game", str(file), "--json"], check=True, capture_output=True)
    shares = json.loads(done.stdout)["shares"]["b"]
    return np.array([shares[f"s{k}"] for k in range(3)])


def steps_alone():
    """Seconds of 100,000 steps, the median of criterion's samples."""
    name = "100 000 steps of the replicator, one buyer and three sellers"
    subprocess.run(["cargo", "bench", "-p", "coase-benches", "--bench", "games", "--", f"^games/{name}$"], check=True,
                   capture_output=True, cwd=ROOT)
    file = ROOT / "target" / "criterion" / "games" / name / "new" / "estimates.json"
    return json.loads(file.read_text())["median"]["point_estimate"] / 1e9


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--coase", required=True, help="the program, built with --release")
    asked = parser.parse_args()
    theirs, seconds = peer(100_000)
    ours = coase(asked.coase)
    apart = np.abs(theirs - ours).max()
    own = steps_alone()
    print(f"rest: EGTTools {theirs.round(6)}, Coase {ours.round(6)}, apart {apart:.1e}")
    print(f"100,000 steps: EGTTools {1e3 * seconds:.1f} ms, Coase {1e3 * own:.2f} ms, {seconds / own:.0f} times")
    if apart > 1e-6:
        raise SystemExit("the two rest at different shares")


if __name__ == "__main__":
    main()
