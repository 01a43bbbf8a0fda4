// SPDX-License-Identifier: MIT

// The twin of idleconn.c: memory of idle connections, each with a goroutine that reads.
package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// field reads a number of /proc/self/status, in bytes.
func field(name string) float64 {
	text, _ := os.ReadFile("/proc/self/status")
	var kib float64
	if at := strings.Index(string(text), name); at >= 0 {
		fmt.Sscanf(string(text[at+len(name):]), "%f", &kib)
	}
	return kib * 1024
}

func main() {
	procs := flag.Int("procs", 2, "")
	count := flag.Int("count", 10000, "")
	flag.Parse()
	runtime.GOMAXPROCS(*procs)
	var lim syscall.Rlimit
	must(syscall.Getrlimit(syscall.RLIMIT_NOFILE, &lim))
	lim.Cur = lim.Max
	must(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &lim))
	if lim.Cur < uint64(2**count+100) {
		*count = (int(lim.Cur) - 100) / 2
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	must(err)
	client := make([]net.Conn, *count)
	server := make([]net.Conn, *count)
	for i := range client {
		client[i], err = net.Dial("tcp4", l.Addr().String())
		must(err)
		server[i], err = l.Accept()
		must(err)
	}
	var begun atomic.Int64
	var wg sync.WaitGroup
	wg.Add(*count)
	runtime.GC()
	rss, tables := field("VmRSS:"), field("VmPTE:")
	for i := range server {
		go func(c net.Conn) {
			defer wg.Done()
			begun.Add(1)
			buf := make([]byte, 1)
			for {
				if _, err := c.Read(buf); err != nil {
					return
				}
				c.Write(buf)
			}
		}(server[i])
	}
	for begun.Load() < int64(*count) {
		runtime.Gosched()
	}
	time.Sleep(10 * time.Millisecond)
	rss, tables = field("VmRSS:")-rss, field("VmPTE:")-tables
	t0 := time.Now()
	for _, c := range client {
		c.Close()
	}
	wg.Wait()
	wake := time.Since(t0)
	n := float64(*count)
	fmt.Printf("rss %.6g B\npage_tables %.6g B\n", rss/n, tables/n)
	fmt.Printf("hang_up %.6g ns\nconnections %d n\n", float64(wake.Nanoseconds())/n, *count)
}
