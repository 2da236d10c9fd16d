"""Auctions of 1,000 bids a side: PyMarket and Coase on the same bids, in one run.

PyMarket (Kiedanski, Kofman and Horta, 2020) clears by the trade reduction of Huang and others and by MUDA. The first draws
nothing, so that prices and quantities are compared. Coase is timed twice: as a whole program (start, reading the file, clearing,
JSON), and, where `--rules` is given, its rule alone, by `cargo bench` in the same run: that is what PyMarket's own time is of.

    python auctions.py --coase ../../target/release/coase [--rules] [--side 1000] [--repeats 9]
"""

import argparse
import json
import random
import statistics
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pymarket

warnings.simplefilter("ignore")


def bids(side, seed):
    """Buyers' bids, then sellers': price and kWh."""
    draw = random.Random(seed)
    return [(round(draw.random(), 9), draw.randint(1, 3)) for _ in range(2 * side)]


def peer(mechanism, all_bids, side):
    """What PyMarket makes of them, and the seconds of its rule."""
    market = pymarket.Market()
    for who, (price, quantity) in enumerate(all_bids):
        market.accept_bid(quantity, price, who, who < side)
    options = {"r": np.random.RandomState(1)} if mechanism == "muda" else {}
    begin = time.perf_counter()
    trades, extra = market.run(mechanism, **options)
    return trades.get_df(), extra, time.perf_counter() - begin


def written(all_bids, side):
    def entry(who):
        price, quantity = all_bids[who]
        return f'(id: "a{who}", blocks: [(price_per_kwh: {price!r}, quantity_kwh: {quantity})])'

    buyers = ",\n".join(entry(who) for who in range(side))
    sellers = ",\n".join(entry(who) for who in range(side, 2 * side))
    return f"Auction(buyers: [{buyers}],\nsellers: [{sellers}])"


def coase(binary, mechanism, file, repeats):
    """What Coase makes of them, and the seconds of the whole program, the median of some runs."""
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        done = subprocess.run([binary, "auction", str(file), "--mechanism", mechanism, "--json"], check=True, capture_output=True)
        seconds.append(time.perf_counter() - begin)
    return json.loads(done.stdout), statistics.median(seconds)


def rule_alone(mechanism, side):
    """Seconds of the rule on as many random bids, the median of criterion's samples."""
    name = f"{mechanism}, {side} a side"
    subprocess.run(["cargo", "bench", "-p", "coase-benches", "--bench", "auctions", "--", f"^auctions/{name}$"], check=True, capture_output=True, cwd=ROOT)
    file = ROOT / "target" / "criterion" / "auctions" / name / "new" / "estimates.json"
    return json.loads(file.read_text())["median"]["point_estimate"] / 1e9


ROOT = Path(__file__).resolve().parents[2]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--coase", required=True, help="the program, built with --release")
    parser.add_argument("--side", type=int, default=1000, help="bids a side")
    parser.add_argument("--repeats", type=int, default=9, help="runs of Coase, of which the median counts")
    parser.add_argument("--rules", action="store_true", help="also time the rules alone, by cargo bench; 1000 bids a side")
    asked = parser.parse_args()
    all_bids = bids(asked.side, 1)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bids.ron"
        file.write_text(written(all_bids, asked.side))
        for mechanism in ["huang", "muda"]:
            trades, extra, slow = peer(mechanism, all_bids, asked.side)
            answer, fast = coase(asked.coase, mechanism, file, asked.repeats)
            print(f"{mechanism}: PyMarket {slow:.2f} s, Coase {1e3 * fast:.1f} ms as a whole program: {slow / fast:.0f} times")
            if asked.rules:
                alone = rule_alone(mechanism, asked.side)
                print(f"  rules alone: PyMarket {slow:.2f} s, Coase {1e3 * alone:.3f} ms: {slow / alone:.0f} times")
            if mechanism != "huang":
                continue
            ours = {b["id"]: b["quantity_kwh"] for b in answer["buyers"] + answer["sellers"]}
            theirs = dict.fromkeys(ours, 0.0)
            for _, row in trades.iterrows():
                # Its transactions name bids, which are numbered as they were accepted.
                theirs[f"a{int(row.bid)}"] += float(row.quantity)
            apart = max(abs(ours[who] - theirs[who]) for who in ours)
            pays = {round(b["payment"] / b["quantity_kwh"], 9) for b in answer["buyers"] if b["quantity_kwh"] > 0}
            receives = {round(s["receipt"] / s["quantity_kwh"], 9) for s in answer["sellers"] if s["quantity_kwh"] > 0}
            prices = max(abs(max(pays) - extra["price_buy"]), abs(max(receives) - extra["price_sell"]))
            print(f"  quantities apart {apart:.1e} kWh, prices {prices:.1e}; Coase trades {answer['traded_kwh']:.6f} kWh")
            if prices > 1e-4 or apart > 1e-4:
                raise SystemExit("the answers differ")


if __name__ == "__main__":
    main()
