#!/bin/sh
# SPDX-License-Identifier: MIT
# ci.sh - for any CI: builds the queue, tests it, and leaves fair.xml (JUnit) and fair.json
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cc=${CC:-cc}
goad=${GOAD:-goad}
# shellcheck disable=SC2046 # a list of flags
set -- $(pkg-config --cflags --libs goad)

$cc -O2 -I"$here/.." -o queue_test "$here/../queue_test.c" "$here/../queue.c" "$@"
./queue_test
$cc -O2 -fPIC -shared -I"$here/.." -o fair.so "$here/../fair.c" "$here/../queue.c" "$@"
"$goad" starve --bounds="$here/../bounds.txt" --junit=fair.xml --format=json --so ./fair.so:fair >fair.json
