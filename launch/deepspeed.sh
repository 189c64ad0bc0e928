#!/usr/bin/env bash
# Train a recipe under the deepspeed launcher, one process per accelerator (or CPU rank).
#   launch/deepspeed.sh 8 glpft --data DIR --out RUN          8 GPUs
#   launch/deepspeed.sh 2 smoke --set deepspeed=cpu_zero2     2 CPU ranks
set -euo pipefail
if [ "$#" -lt 2 ]; then
    echo "usage: $0 RANKS RECIPE [alpha-umi train options]" >&2
    exit 2
fi
ranks=$1
shift
# This variable makes accelerate leave DeepSpeed out without a word.
unset ACCELERATE_USE_CPU
exec deepspeed --num_accelerators "$ranks" --no_local_rank --module alpha_umi train "$@"
