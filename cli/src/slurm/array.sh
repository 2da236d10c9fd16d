#!/usr/bin/env bash
# Runs one part of NAME; written by `coase slurm`.
#
# Runs that are finished are kept, so that a part that is begun again goes on where it was. A part that ends early, because its
# time is nearly up, it was preempted or its program was killed, puts itself back into the queue, RESTARTS times at most.
#
# Exit status: that of `coase run`, 0 every run of the part found its answer, 1 some run did not, 2 bad input; 128 and the number
# of the signal that ended it.
#SBATCH --job-name=JOB
#SBATCH --array=0-LAST
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=CPUS
#SBATCH --time=TIME
#SBATCH --requeue
#SBATCH --open-mode=append
# A minute to stop, keep what is finished and ask for more time.
#SBATCH --signal=B:TERM@60
MORE
set -u
coase="${COASE:-}"
[ -n "$coase" ] || coase=PROGRAM

asked=
program=
trap 'asked=yes; kill -TERM "$program" 2>/dev/null' TERM
"$coase" run FILE --out OUT --shard "$SLURM_ARRAY_TASK_ID/COUNT" --jobs "${SLURM_CPUS_PER_TASK:-1}" --tables runs --quiet SET &
program=$!
[ -z "$asked" ] || kill -TERM "$program"
wait "$program"
status=$?
# A signal to this script ends `wait` before the program has ended.
while [ -n "$asked" ] && kill -0 "$program" 2>/dev/null; do
    wait "$program"
    status=$?
done

again="${SLURM_RESTART_COUNT:-0}"
if [ "$status" -le 2 ]; then
    echo "part $SLURM_ARRAY_TASK_ID of COUNT: coase ended with $status"
elif [ "$again" -ge RESTARTS ]; then
    echo "part $SLURM_ARRAY_TASK_ID of COUNT: ended with $status, and has been begun again $again times: it is left"
# By the number of the task: that of its job may be that of the whole array.
elif scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"; then
    echo "part $SLURM_ARRAY_TASK_ID of COUNT: ended with $status, and goes back into the queue"
else
    # Where Slurm ended the part to begin it again, it is in the queue already.
    echo "part $SLURM_ARRAY_TASK_ID of COUNT: ended with $status, and is not put back into the queue: Slurm says why above"
fi
exit "$status"
