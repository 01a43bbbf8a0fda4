#!/bin/sh
# SPDX-License-Identifier: MIT
# usage.sh - the frame of the program, and what it says about a command line that is wrong:
# each message names what was typed and the nearest that would have been right.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

expect 'no command' 2 '' 'Usage: goad'
expect 'help' 0 'goad run' '' help
expect '--help' 0 'goad run' '' --help
expect 'help of a command' 0 'WORK is FILE.so:FUNCTION' '' help run
expect 'version' 0 '^goad [0-9]' '' version
expect '--version' 0 '^goad [0-9]' '' --version
expect 'version with an argument' 2 '' "'now'" version now
expect 'unknown command' 2 '' "unknown command 'rnu': the nearest is 'run'" rnu
expect 'unknown command to help' 2 '' "the nearest is 'version'" help versoin
expect 'option before a command' 2 '' "'--plot': options come after" --plot x.svg

expect 'no work' 2 '' 'no WORK' run
expect 'unknown work' 2 '' "unknown work 'mandlebrot': the nearest is 'mandelbrot'" run mandlebrot
expect 'empty work' 2 '' "WORK is missing beside a '\+'" run spin +
expect 'long option' 2 '' "'--quantm': the nearest is '--quantum'" run --quantm=1ms spin
expect 'option begun but not told apart' 2 '' "'--p'" run --p 2 spin
expect 'short option' 2 '' "unknown option '-z'" run -z spin
expect 'option without its value' 2 '' "'--for' needs a value" run --for
expect 'value too much' 2 '' "'--help' takes no value" run --help=x spin
expect 'preempt' 2 '' "'hand-of' is unknown: the nearest is 'handoff'" run --preempt=hand-of spin
expect 'format' 2 '' "'jsn' is unknown: the nearest is 'json'" run --format=jsn spin
expect 'trace' 2 '' "--trace '/nonexistent/t'" run --trace /nonexistent/t spin
expect 'time without a unit' 2 '' "'10' is not a time: write it as 10ms" run -q 10 spin
expect 'time out of range' 2 '' "'2s' is out of range: 50us to 1s" run --quantum 2s spin
expect 'count' 2 '' "-n '0' is not a number from 1" run -n 0 spin
expect 'count that is none' 2 '' "'two' is not a number" run --procs two spin
expect 'stack size' 2 '' "'1K' is not a size from 16K" run --stack-size 1K spin
expect 'picture of another kind' 2 '' 'must end in .svg or .png' run --plot x.gif spin
if built cairo; then
	expect 'picture that cannot be' 2 '' "'/nonexistent/x.svg': No such" run --plot /nonexistent/x.svg spin
else
	expect 'pictures not built in' 77 '' 'libcairo2-dev' run --plot x.svg spin
fi
expect 'weights: too many' 2 '' '3 numbers: give one for each WORK \(1\)' run --weights 1,2,3 spin
expect 'weights: no number' 2 '' "'x' is not a number" run --weights 1,x spin + spin
expect 'weights: a hole' 2 '' 'empty place' run --weights 1,,2 spin + spin + spin

expect 'expect: help' 0 'wait_max' '' run --expect help
expect 'expect: name' 2 '' "unknown name 'jian': the nearest is 'jain'" run --expect 'jian>=1' spin
expect 'expect: time' 2 '' "'50' of wait_max is not a time" run --expect 'wait_max<=50' spin
expect 'expect: ratio' 2 '' "'5ms' of jain is not a ratio" run --expect 'jain>=5ms' spin
expect 'expect: operator' 2 '' "'jain=>1' is not a bound" run --expect 'jain=>1' spin
expect 'expect: nothing' 2 '' 'has no bound' run --expect '' spin
expect 'expect: no tick' 2 '' "no WORK is a tick" run --expect 'tick_p99<=1ms' spin

expect 'primes without LIMIT' 2 '' "needs a LIMIT" run primes
expect 'primes with a word' 2 '' "'many' is not a number" run primes many
expect 'spin with an argument' 2 '' "takes no argument, but was given 'fast'" run spin fast
expect 'expect: no echo' 2 '' "no WORK is an echo" run --expect 'echo_p99<=1ms' spin
expect 'block with a word' 2 '' "'soon' is not a time" run block soon
expect 'block with too much' 2 '' 'and nothing more' run block 1ms 2ms
"$GOAD" run --for 10ms echo >out 2>err
if test $? -ne 77; then
	expect 'echo with a word' 2 '' "'soon' is not a time" run echo soon
	expect 'echo out of range' 2 '' 'out of range' run echo 1us
fi
expect 'tick without PERIOD' 2 '' 'needs a PERIOD' run tick
expect 'tick with a number' 2 '' "'1' is not a time" run tick 1
for kind in sha256 deflate; do
	if built $kind; then
		expect "$kind without FILE" 2 '' "'$kind' needs a FILE" run $kind
		expect "$kind of no file" 2 '' "'missing.txt': No such file" run $kind missing.txt
		expect "$kind of a directory" 2 '' "'/': Is a directory" run $kind /
	else
		expect "$kind not built in" 77 '' "'$kind' was not built in: .*-dev" run $kind x
	fi
done
if built lua; then
	echo 'x = = 1' >syntax.lua
	expect 'lua without SCRIPT' 2 '' 'needs a SCRIPT' run lua
	expect 'lua of no file' 2 '' 'missing.lua' run lua missing.lua
	expect 'lua: syntax' 2 '' 'syntax.lua:1:' run lua syntax.lua
else
	expect 'lua not built in' 77 '' 'liblua5.4-dev' run lua x.lua
fi

expect 'no such object' 2 '' "'none.so': No such file.*-shared -fPIC" run none.so:f
if shared_object "$src/examples/hogs/loop.c" loop.so; then
	expect 'no such function' 2 '' "has no function 'lop': the nearest is 'loop'" run ./loop.so:lop
	expect 'no function named' 2 '' 'which function' run loop.so
else
	skip 'functions of an object' 'no C compiler'
fi
echo 'no object' >text.so
expect 'not an object' 2 '' 'text.so' run text.so:f
finish
