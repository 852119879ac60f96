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

// secure serves over TLS as an execution environment is served, and returns a client that trusts it.
func secure(t testing.TB, s *Server) (*http.Client, string) {
	t.Helper()
	trust, err := NewTrust()
	must(t, err)
	return secureBy(t, s, trust)
}

func secureBy(t testing.TB, s *Server, trust *Trust) (*http.Client, string) {
	t.Helper()
	server := httptest.NewUnstartedServer(s)
	server.TLS = trust.TLS
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(trust.Files[pemFile])
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, MaxIdleConnsPerHost: 1000}}, server.URL
}

// BenchmarkQuery gives what the server adds to a service time that is always the same, and how many queries a second it
// answers to clients of this process.
func BenchmarkQuery(b *testing.B) {
	const latency = 4 * time.Millisecond
	for _, clients := range []int{1, 9, 50} {
		b.Run(fmt.Sprint(clients, " at once"), func(b *testing.B) {
			s := newServer(b)
			s.service.median, s.service.sigma = latency, 0
			for i := range 2000 {
				status, answer := s.answer("PutItem", strings.NewReader(fmt.Sprintf(`{"TableName":"places","Item":{"pk":{"S":"RT:go"},"sk":{"S":"%d"},"gpk":{"S":"r6%d"},"gsk":{"S":"RT:go:%d"},
					"owner":{"S":"go"},"name":{"S":"n"},"lat":{"S":"-33.7"},"lon":{"S":"151.1"}}}`, i, i%90, i)))
				if status != http.StatusOK {
					b.Fatal(answer)
				}
			}
			client, url := secure(b, s)
			query := []byte(`{"TableName":"places","IndexName":"geo-index","KeyConditionExpression":"gpk = :g AND begins_with(gsk, :r)","ExpressionAttributeValues":{":g":{"S":"r652"},":r":{"S":"RT:go:"}}}`)
			took := make([]time.Duration, b.N+clients)
			var next atomic.Int64
			began := time.Now()
			var all sync.WaitGroup
			for range clients {
				all.Go(func() {
					for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
						sent := time.Now()
						r, _ := http.NewRequest(http.MethodPost, url, bytes.NewReader(query))
						r.Header.Set("X-Amz-Target", "DynamoDB_20120810.Query")
						answer, err := client.Do(r)
						if err != nil || answer.StatusCode != http.StatusOK {
							b.Error(err, answer)
							return
						}
						io.Copy(io.Discard, answer.Body)
						answer.Body.Close()
						took[i] = time.Since(sent) - latency
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "queries/s")
			took = took[1 : b.N+1]
			slices.Sort(took)
			for _, p := range []int{50, 99} {
				b.ReportMetric(float64(took[len(took)*p/100])/1e6, fmt.Sprint("added-ms-p", p))
			}
		})
	}
}
