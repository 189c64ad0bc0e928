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
if ! [[ $ranks =~ ^[1-9][0-9]*$ ]]; then
    echo "RANKS is a number of processes, not '$ranks'" >&2
    exit 2
fi
shift
# This variable makes accelerate leave DeepSpeed out without a word.
unset ACCELERATE_USE_CPU
# Processes of one machine share its cores. Left alone, each takes all of them, and together they take half as long again.
if [ -z "${OMP_NUM_THREADS:-}" ]; then
    cores=$(nproc)
    export OMP_NUM_THREADS=$((cores > ranks ? cores / ranks : 1))
fi
# A free port, so that two runs on one machine do not meet; several nodes agree on one with MASTER_PORT.
port=${MASTER_PORT:-$(python3 -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])')}
exec deepspeed --num_accelerators "$ranks" --master_port "$port" --no_local_rank --module alpha_umi train "$@"
