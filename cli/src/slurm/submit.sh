#!/usr/bin/env bash
# Hands all parts of NAME and what follows them to Slurm; written by `coase slurm`. May be given again: finished runs are kept.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"

array="$(sbatch --parsable --output "$here/part-%a.log" "$here/array.sh")"
# After any end of the parts: what is missing is named by `collect`.
collect="$(sbatch --parsable --output "$here/collect.log" --dependency "afterany:${array%%;*}" "$here/collect.sh")"
echo "COUNT parts are job ${array%%;*}, the tables and figures job ${collect%%;*}; their logs are in $here"
