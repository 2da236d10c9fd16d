#!/usr/bin/env bash
# Builds the tables and figures of NAME when all of its parts have ended, however they did; written by `coase slurm`.
#
# Exit status: that of `coase collect`, 0 every run is there and found its answer, 1 some run did not or is missing (each is
# named), 2 no results.
#SBATCH --job-name=JOB-collect
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=CPUS
#SBATCH --time=TIME
#SBATCH --requeue
#SBATCH --open-mode=append
MORE
set -u
coase="${COASE:-}"
[ -n "$coase" ] || coase=PROGRAM
exec "$coase" collect OUT
