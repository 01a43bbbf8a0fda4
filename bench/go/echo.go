// SPDX-License-Identifier: MIT

// The twin of echo.c: a byte to a server on the loopback and back, beside goroutines that compute.
package main

import (
	"flag"
	"fmt"
	"math"
	"net"
	"os"
	"runtime"
	"sort"
	"sync"
	"time"
)

const block = 8192

//go:noinline
func spin(x uint64, n int) uint64 {
	for i := 0; i < n; i++ {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	return x
}

func hog(deadline time.Time) {
	x := uint64(88172645463325252)
	for time.Now().Before(deadline) {
		x = spin(x, block)
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(c net.Conn) {
	buf := make([]byte, 1)
	for {
		if _, err := c.Read(buf); err != nil {
			return
		}
		if _, err := c.Write(buf); err != nil {
			return
		}
	}
}

func main() {
	procs := flag.Int("procs", 2, "")
	hogs := flag.Int("hogs", 0, "")
	length := flag.Duration("time", 2*time.Second, "")
	flag.Parse()
	runtime.GOMAXPROCS(*procs)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	must(err)
	client, err := net.Dial("tcp4", l.Addr().String())
	must(err)
	server, err := l.Accept()
	must(err)
	trip := make([]float64, 0, int(*length/time.Microsecond))
	var wg sync.WaitGroup
	wg.Add(*hogs + 2)
	deadline := time.Now().Add(*length)
	for i := 0; i < *hogs; i++ {
		go func() {
			hog(deadline)
			wg.Done()
		}()
	}
	go func() {
		serve(server)
		wg.Done()
	}()
	go func() {
		buf := make([]byte, 1)
		for t0 := time.Now(); t0.Before(deadline); {
			if _, err := client.Write(buf); err != nil {
				break
			}
			if _, err := client.Read(buf); err != nil {
				break
			}
			t1 := time.Now()
			trip = append(trip, float64(t1.Sub(t0).Nanoseconds())/1e3)
			t0 = t1
		}
		client.Close()
		wg.Done()
	}()
	wg.Wait()
	sort.Float64s(trip)
	at := func(q float64) float64 { return trip[int(math.Ceil(q*float64(len(trip))))-1] }
	fmt.Printf("trip_p50 %.6g us\n", at(0.5))
	fmt.Printf("trip_p99 %.6g us\n", at(0.99))
	fmt.Printf("trips %d n\n", len(trip))
}
