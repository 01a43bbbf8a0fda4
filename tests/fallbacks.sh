#!/bin/sh
# SPDX-License-Identifier: MIT
# fallbacks.sh - a few test programs again, with each facility in turn taken away that an older
# kernel, C library or processor lacks, and then with all of them.  The switches are those of
# goad(7); what is run for every switch and what for one of them alone stands below.
set -u
top=${GOAD_BUILDDIR:-$(pwd)}
src=${GOAD_SRCDIR:-$(cd "$(dirname "$0")/.." && pwd)}
log=$(mktemp "${TMPDIR:-/tmp}/goad-test.XXXXXX") || exit 99
trap 'rm -f "$log"' EXIT
passed=0 failed=0 skipped=0
n=0

# Without _dl_find_object what can be unloaded is handed off always: torture_dl counts on it
# not to be, but for the half that only wants it handed off.
programs () {
	echo api/tasks
	case $1 in
	*XSAVEC) echo preempt/torture_vector ;;
	*GUARD_INSTALL) echo api/stack unit/stack_fault ;;
	*MEMBARRIER) echo api/names preempt/errno ;;
	*VM_READV) echo preempt/torture_dl ;;
	*DL_FIND_OBJECT) echo preempt/torture_zlib preempt/torture_dl:handed_off ;;
	*EPOLL_PWAIT2) echo api/sleep api/io ;;
	*PROC_SYSCALL) echo api/block ;;
	*SHORT_SLICE) echo preempt/errno ;;
	*ALL) echo api/sleep api/stack preempt/torture_dl:handed_off ;;
	esac
}

# under NAME SWITCH...: its programs with these switches
under () {
	name=$1
	shift
	for program in $(programs "$name"); do
		file=tests/${program%:*} what="$name: $program"
		n=$((n + 1))
		set_filter=
		case $program in *:*) set_filter="--filter=$(basename "$file")/${program#*:}" ;; esac
		if ! test -x "$top/$file"; then
			skipped=$((skipped + 1))
			echo "ok $n - $what # SKIP not built"
		elif env "$@" "$top/$file" ${set_filter:+"$set_filter"} >"$log" 2>&1 </dev/null; then
			passed=$((passed + 1))
			echo "ok $n - $what"
		else
			failed=$((failed + 1))
			echo "not ok $n - $what"
			sed 's/^/# /' "$log"
		fi
	done
}

all=
for switch in $(sed -n 's/^\.It Ev \(GOAD_NO_[A-Z0-9_]*\).*/\1/p' "$src/doc/man/goad.7"); do
	under "$switch" "$switch=1"
	all="$all $switch=1"
done
if test -z "$all"; then
	failed=$((failed + 1))
	echo "not ok - no switch found in goad.7"
fi
# shellcheck disable=SC2086 # a list of assignments
under ALL $all

echo "1..$n"
# The driver counts by this line.
echo "[====] Synthesis: Tested: $((passed + failed)) | Passing: $passed | Failing: $failed | Crashing: 0 "
test "$failed" -eq 0
