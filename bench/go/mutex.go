// SPDX-License-Identifier: MIT

// The twin of mutex.c.
package main

import (
	"flag"
	"fmt"
	"runtime"
	"sync"
	"time"
)

var mutex sync.Mutex
var counter int

//go:noinline
func work() {
	for i := 0; i < 10; i++ {
	}
}

func round(n, crowd int) time.Duration {
	var wg sync.WaitGroup
	each := n / crowd
	counter = 0
	t0 := time.Now()
	wg.Add(crowd)
	for i := 0; i < crowd; i++ {
		go func() {
			for k := 0; k < each; k++ {
				mutex.Lock()
				counter++
				work()
				mutex.Unlock()
				work()
			}
			wg.Done()
		}()
	}
	wg.Wait()
	d := time.Since(t0)
	if counter != each*crowd {
		panic("the mutex does not exclude")
	}
	return d
}

func main() {
	procs := flag.Int("procs", 1, "")
	count := flag.Int("count", 5000000, "")
	crowd := flag.Int("hogs", 8, "")
	shape := flag.String("shape", "alone", "")
	flag.Parse()
	runtime.GOMAXPROCS(*procs)
	if *shape == "alone" {
		*crowd = 1
	}
	round(*count/10+1, *crowd)
	fmt.Printf("lock %.6g ns\n", float64(round(*count, *crowd).Nanoseconds())/float64(*count))
}
