// SPDX-License-Identifier: MIT

// The twin of pingpong.c: two goroutines and two unbuffered channels.
package main

import (
	"flag"
	"fmt"
	"runtime"
	"time"
)

func round(n int) time.Duration {
	ping, pong := make(chan int), make(chan int)
	go func() {
		for v := range ping {
			pong <- v
		}
	}()
	t0 := time.Now()
	for i := 0; i < n; i++ {
		ping <- i
		<-pong
	}
	d := time.Since(t0)
	close(ping)
	return d
}

func main() {
	procs := flag.Int("procs", 1, "")
	count := flag.Int("count", 1000000, "")
	flag.Parse()
	runtime.GOMAXPROCS(*procs)
	round(*count/10 + 1)
	fmt.Printf("round_trip %.6g ns\n", float64(round(*count).Nanoseconds())/float64(*count))
}
