# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# lib.sh - for the tests of the program: sourced by them, prints TAP-like lines
#
# GOAD is the program; without it, the one in the build tree (GOAD_BUILDDIR, or here).
set -u
src=${GOAD_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
top=${GOAD_BUILDDIR:-$(pwd)}
cc=${CC:-cc}
for p in "${GOAD:-}" "$top/tools/goad" "$top/build/tools/goad" "$src/build/tools/goad"; do
	if test -n "$p" && test -x "$p"; then
		GOAD=$(cd "$(dirname "$p")" && pwd)/$(basename "$p")
		break
	fi
done
if ! test -x "${GOAD:-/nonexistent}"; then
	echo "the program goad was not built" >&2
	exit 77
fi
unset GOAD_PROCS GOAD_QUANTUM GOAD_PREEMPT GOAD_SEED GOAD_FEEDBACK GOAD_MIN_GRANULARITY GOAD_STACK_SIZE GOAD_DISABLE NO_COLOR
work=$(mktemp -d "${TMPDIR:-/tmp}/goad-test.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
passed=0 failed=0 skipped=0

ok () {
	passed=$((passed + 1))
	echo "ok $((passed + failed + skipped)) - $1"
}

not_ok () {
	failed=$((failed + 1))
	echo "not ok $((passed + failed + skipped)) - $1"
	sed 's/^/# /' out err 2>/dev/null
}

skip () {
	skipped=$((skipped + 1))
	echo "ok $((passed + failed + skipped)) - $1 # SKIP $2"
}

# run ARG...: runs the program, for a minute at most; out, err and code are what came of it.
run () {
	timeout -k 5 60 "$GOAD" "$@" >out 2>err </dev/null
	code=$?
}

# expect WHAT CODE OUT ERR ARG...: exit code, and patterns (grep -E) that must be found in the
# two outputs; an empty one asks nothing.
expect () {
	what=$1 out_pattern=$3 err_pattern=$4
	shift
	want=$1
	shift 3
	run "$@"
	if test "$code" -ne "$want"; then
		echo "# exit code $code, not $want" && not_ok "$what"
	elif test -n "$out_pattern" && ! grep -Eq -e "$out_pattern" out; then
		echo "# not in the output: $out_pattern" && not_ok "$what"
	elif test -n "$err_pattern" && ! grep -Eq -e "$err_pattern" err; then
		echo "# not among the errors: $err_pattern" && not_ok "$what"
	else
		ok "$what"
	fi
}

# built NAME: was that feature built in?
built () {
	"$GOAD" version | grep -Eq "^ *$1 +yes"
}

shared_object () {
	$cc -O2 -shared -fPIC -o "$2" "$1" 2>err
}

finish () {
	echo "1..$((passed + failed + skipped))"
	# The driver counts by this line.
	echo "[====] Synthesis: Tested: $((passed + failed)) | Passing: $passed | Failing: $failed | Crashing: 0 "
	echo "$passed passed, $failed failed"
	test "$failed" -eq 0
	exit
}
