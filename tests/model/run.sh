#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh [MODEL.pml ...]: the models by hand, without a build tree.  Does what `make check-model`
# does (tests/model/check) in a directory of its own, and ends with "N passed, N failed".
set -u
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
trap 'exit 99' HUP INT TERM

# check changes directory.
for model; do
	case $model in
	/*) ;;
	*) model=$PWD/$model ;;
	esac
	set -- "$@" "$model"
	shift
done

GOAD_BUILDDIR=$dir "$here/check" "$@" >"$dir/out" 2>&1
rc=$?
grep -v '^\[====\]' "$dir/out"
sed -n 's/^\[====\].*Passing: \([0-9]*\) .*Failing: \([0-9]*\) .*/\1 passed, \2 failed/p' \
	"$dir/out"
exit "$rc"
