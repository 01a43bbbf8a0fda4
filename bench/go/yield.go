// SPDX-License-Identifier: MIT

// The twin of yield.c: two goroutines on one P that call Gosched in turn.
package main

import (
	"flag"
	"fmt"
	"runtime"
	"sync"
	"time"
)

func round(n int) time.Duration {
	var wg sync.WaitGroup
	wg.Add(2)
	t0 := time.Now()
	for i := 0; i < 2; i++ {
		go func() {
			for k := 0; k < n; k++ {
				runtime.Gosched()
			}
			wg.Done()
		}()
	}
	wg.Wait()
	return time.Since(t0)
}

func main() {
	procs := flag.Int("procs", 1, "")
	count := flag.Int("count", 2000000, "")
	flag.Parse()
	runtime.GOMAXPROCS(*procs)
	round(*count/10 + 1)
	fmt.Printf("yield %.6g ns\n", float64(round(*count).Nanoseconds())/(2*float64(*count)))
}
