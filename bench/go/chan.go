// SPDX-License-Identifier: MIT

// The twin of chan.c.
package main

import (
	"flag"
	"fmt"
	"runtime"
	"strconv"
	"time"
)

func round(n, capacity int) time.Duration {
	ch := make(chan int, capacity)
	t0 := time.Now()
	go func() {
		for i := 0; i < n; i++ {
			ch <- i
		}
		close(ch)
	}()
	got := 0
	for range ch {
		got++
	}
	d := time.Since(t0)
	if got != n {
		panic("elements were lost")
	}
	return d
}

func main() {
	procs := flag.Int("procs", 1, "")
	count := flag.Int("count", 3000000, "")
	shape := flag.String("shape", "100", "")
	flag.Parse()
	runtime.GOMAXPROCS(*procs)
	capacity, _ := strconv.Atoi(*shape)
	round(*count/10+1, capacity)
	fmt.Printf("element %.6g ns\n", float64(round(*count, capacity).Nanoseconds())/float64(*count))
}
