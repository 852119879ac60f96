package dynamo

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// secure serves over TLS, as the lab does for functions. It returns a client that trusts the server, and the URL.
func secure(t testing.TB, s *Server) (*http.Client, string) {
	t.Helper()
	trust, err := NewTrust()
	must(t, err)
	return secureBy(t, s, trust)
}

func secureBy(t testing.TB, s http.Handler, trust *Trust) (*http.Client, string) {
	t.Helper()
	server := httptest.NewUnstartedServer(s)
	server.TLS = trust.TLS
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(trust.Files[pemFile])
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, MaxIdleConnsPerHost: 1000}}, server.URL
}

// BenchmarkQuery measures how much time the server adds to a fixed service time, and how many queries it answers in a
// second. The time of the client and of TLS must not count. So after each query, the client sends the same one to a
// server that answers at once with as many bytes. The time of that query is subtracted.
func BenchmarkQuery(b *testing.B) {
	const latency = 4 * time.Millisecond
	for _, clients := range []int{1, 9, 50} {
		b.Run(fmt.Sprint(clients, " at once"), func(b *testing.B) {
			s := newServer(b)
			s.median, s.sigma = latency, 0
			for i := range 2000 {
				status, answer := s.answer("PutItem", strings.NewReader(fmt.Sprintf(`{"TableName":"places","Item":{"pk":{"S":"RT:go"},"sk":{"S":"%d"},"gpk":{"S":"r6%d"},"gsk":{"S":"RT:go:%d"},
					"owner":{"S":"go"},"name":{"S":"n"},"lat":{"S":"-33.7"},"lon":{"S":"151.1"}}}`, i, i%90, i)))
				if status != http.StatusOK {
					b.Fatal(answer)
				}
			}
			trust, err := NewTrust()
			must(b, err)
			client, url := secureBy(b, s, trust)
			idle, echo := secureBy(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				w.Write(make([]byte, 1500))
			}), trust)
			query := []byte(`{"TableName":"places","IndexName":"geo-index","KeyConditionExpression":"gpk = :g AND begins_with(gsk, :r)","ExpressionAttributeValues":{":g":{"S":"r652"},":r":{"S":"RT:go:"}}}`)
			send := func(client *http.Client, url string) time.Duration {
				sent := time.Now()
				r, _ := http.NewRequest(http.MethodPost, url, bytes.NewReader(query))
				r.Header.Set("X-Amz-Target", "DynamoDB_20120810.Query")
				answer, err := client.Do(r)
				if err != nil || answer.StatusCode != http.StatusOK {
					b.Error(err, answer)
					return 0
				}
				io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
				return time.Since(sent)
			}
			took, twin := make([]time.Duration, b.N+1), make([]time.Duration, b.N+1)
			var next, spent atomic.Int64
			var all sync.WaitGroup
			for range clients {
				all.Go(func() {
					send(client, url) // connects
					send(idle, echo)
					for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
						took[i], twin[i] = send(client, url)-latency, send(idle, echo)
						spent.Add(int64(took[i] + latency))
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N*clients)/time.Duration(spent.Load()).Seconds(), "queries/s")
			slices.Sort(took[1:])
			slices.Sort(twin[1:])
			for _, p := range []int{50, 99} {
				at := 1 + (b.N-1)*p/100
				b.ReportMetric(float64(took[at]-twin[at])/1e6, fmt.Sprint("added-ms-p", p))
				b.ReportMetric(float64(twin[at])/1e6, fmt.Sprint("client-ms-p", p))
			}
		})
	}
}
