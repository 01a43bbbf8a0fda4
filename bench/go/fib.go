// SPDX-License-Identifier: MIT

// The twin of fib.c: a goroutine and a channel for each first half.
package main

import (
	"flag"
	"fmt"
	"runtime"
	"time"
)

func fib(n int) int {
	if n < 2 {
		return n
	}
	c := make(chan int, 1)
	go func() { c <- fib(n - 1) }()
	two := fib(n - 2)
	return <-c + two
}

func main() {
	procs := flag.Int("procs", 1, "")
	count := flag.Int("count", 32, "")
	flag.Parse()
	runtime.GOMAXPROCS(*procs)
	fib(*count - 4)
	t0 := time.Now()
	fib(*count)
	fmt.Printf("fib %.6g ms\n", float64(time.Since(t0).Nanoseconds())/1e6)
}
