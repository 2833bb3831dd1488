// Go's net/http with http.DefaultTransport's settings: one client for all goroutines.
// HTTP/2 without TLS is chosen by http.Protocols, which the standard library has since Go 1.24.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	examples = 10
	grace    = 15 * time.Second
)

type request struct {
	method string
	body   []byte
}

type tally struct {
	sync.Mutex
	Client   string         `json:"client"`
	Protocol string         `json:"protocol"`
	Requests int            `json:"requests"`
	Failed   int            `json:"failed"`
	Kinds    map[string]int `json:"kinds"`
	Examples []string       `json:"examples"`
	inFlight int
}

func (t *tally) begun() {
	t.Lock()
	defer t.Unlock()
	t.inFlight++
}

func (t *tally) ended(kind, detail string) {
	t.Lock()
	defer t.Unlock()
	t.inFlight--
	t.Requests++
	if kind == "" {
		return
	}
	t.Failed++
	t.Kinds[kind]++
	if len(t.Examples) < examples {
		at := float64(time.Now().UnixMilli()) / 1000
		t.Examples = append(t.Examples, fmt.Sprintf("%.3f %s: %.200s", at, kind, detail))
	}
}

func (t *tally) say(key string) {
	t.Lock()
	defer t.Unlock()
	line, err := json.Marshal(map[string]*tally{key: t})
	if err != nil {
		panic(err)
	}
	os.Stdout.Write(append(line, '\n'))
}

func (t *tally) idle() bool {
	t.Lock()
	defer t.Unlock()
	return t.inFlight == 0
}

func number(name string) float64 {
	value, err := strconv.ParseFloat(os.Getenv(name), 64)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s=%q: must be a number\n", name, os.Getenv(name))
		os.Exit(2)
	}
	return value
}

func mix() (requests []request) {
	for _, part := range strings.Split(os.Getenv("MIX"), ",") {
		method, size, _ := strings.Cut(part, ":")
		length, err := strconv.Atoi(size)
		if err != nil {
			fmt.Fprintf(os.Stderr, "MIX: %q must be METHOD:BYTES\n", part)
			os.Exit(2)
		}
		requests = append(requests, request{method, bytes.Repeat([]byte("x"), length)})
	}
	return requests
}

// kind names the innermost error: what a *url.Error wraps is different for each address.
func kind(err error) string {
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	text := err.Error()
	if strings.HasPrefix(text, "http2: ") && strings.Contains(text, "GOAWAY") {
		return "GOAWAY"
	}
	return fmt.Sprintf("%.60s", text)
}

func exchange(client *http.Client, url string, wanted request, count *tally) {
	var body io.Reader
	if len(wanted.body) > 0 {
		body = bytes.NewReader(wanted.body)
	}
	asked, err := http.NewRequest(wanted.method, url, body)
	if err != nil {
		panic(err)
	}
	count.begun()
	answer, err := client.Do(asked)
	if err != nil {
		count.ended(wanted.method+" "+kind(err), err.Error())
		return
	}
	defer answer.Body.Close()
	echo, err := io.ReadAll(answer.Body)
	switch {
	case err != nil:
		count.ended(wanted.method+" "+kind(err), err.Error())
	case answer.StatusCode < 200 || answer.StatusCode > 299:
		count.ended(fmt.Sprintf("%s HTTP %d", wanted.method, answer.StatusCode), answer.Status)
	case !bytes.Equal(echo, wanted.body):
		count.ended(wanted.method+" wrong body", fmt.Sprintf("%d bytes", len(echo)))
	default:
		count.ended("", "")
	}
}

func main() {
	protocol := os.Getenv("PROTOCOL")
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if protocol == "h2" {
		transport.Protocols = new(http.Protocols)
		transport.Protocols.SetUnencryptedHTTP2(true)
	}
	client := &http.Client{Transport: transport}
	count := &tally{Client: "Go net/http", Protocol: protocol, Kinds: map[string]int{}, Examples: []string{}}
	requests, think := mix(), number("THINK")
	connections, slow := int(number("CONNECTIONS")), int(number("SLOW"))
	slowSeconds := number("SLOW_SECONDS")
	stopped := make(chan struct{})

	for task := range connections + slow {
		url := os.Getenv("URL") + "/"
		if task >= connections {
			url += fmt.Sprintf("slow?seconds=%g", slowSeconds)
		}
		go func() {
			for turn := task; ; turn++ {
				pause := time.Duration(think * (0.5 + rand.Float64()) * float64(time.Second))
				select {
				case <-stopped:
					return
				case <-time.After(pause):
					exchange(client, url, requests[turn%len(requests)], count)
				}
			}
		}()
	}

	input := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(input)
	}()
	limit := time.After(time.Duration(number("SECONDS") * float64(time.Second)))
	second := time.NewTicker(time.Second)
	for running := true; running; {
		count.say("so_far")
		select {
		case <-second.C:
		case <-input:
			running = false
		case <-limit:
			running = false
		}
	}
	close(stopped)
	wait := grace
	if slow > 0 {
		wait += time.Duration(slowSeconds * float64(time.Second))
	}
	for deadline := time.Now().Add(wait); !count.idle() && time.Now().Before(deadline); {
		time.Sleep(50 * time.Millisecond)
	}
	for !count.idle() {
		count.ended("no answer", "in flight when the client gave up")
	}
	count.say("result")
}
