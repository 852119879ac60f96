package lab

import (
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/netutil"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/dynamo"
	"github.com/twinstart/twinstart/lab/runtimeapi"
	"github.com/twinstart/twinstart/lab/sandbox"
)

// RuntimeAPI is the address of the Runtime API in an environment with its own network, as on Lambda.
const RuntimeAPI = "127.0.0.1:9001"

const dynamoDB = "dynamodb"

// firstDoor is the port of the first entry of Options.Allow inside an environment. The next entry has the next port.
const firstDoor = 9101

// Door lets functions call one service at a port of 127.0.0.1. The variable AWS_ENDPOINT_URL_NAME has the address, and
// AWS's SDKs and CLI read it.
type Door struct {
	Name string // of the service, for example dynamodb for AWS_ENDPOINT_URL_DYNAMODB
	URL  *url.URL

	tables *dynamo.Server // if not nil, the tables answer over TLS, and URL is nil
	trust  *dynamo.Trust
}

var serviceName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// UnmarshalText reads NAME=URL, for example dynamodb=http://127.0.0.1:8000.
func (d *Door) UnmarshalText(text []byte) error {
	name, address, _ := strings.Cut(string(text), "=")
	u, err := url.Parse(address)
	if err != nil || !serviceName.MatchString(name) || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%q is not NAME=URL: use, for example, dynamodb=http://127.0.0.1:8000", text)
	}
	*d = Door{Name: name, URL: u}
	return nil
}

// serve answers requests from the tables, or forwards them to the service. It keeps the caller's Host, because the
// signature covers it.
func (d Door) serve(listener net.Listener) *http.Server {
	server := &http.Server{ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0), Handler: d.tables,
		Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	listener = netutil.LimitListener(listener, runtimeapi.MaxConnections)
	if d.tables != nil {
		server.TLSConfig = d.trust.TLS
		go server.ServeTLS(listener, "", "") //nolint:errcheck // ends with Close
		return server
	}
	server.Handler = &httputil.ReverseProxy{Rewrite: d.forward, ErrorLog: server.ErrorLog,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, d.Name+": "+err.Error(), http.StatusBadGateway)
		}}
	go server.Serve(listener) //nolint:errcheck // ends with Close
	return server
}

// forward sends a request to the service, with a body that ends at its length. net/http looks for more of a body, and
// if the service has answered by then, the body is closed. It would close the connection before the response is read.
func (d Door) forward(p *httputil.ProxyRequest) {
	p.SetURL(d.URL)
	p.Out.Host = p.In.Host
	if p.Out.ContentLength > 0 {
		p.Out.Body = io.NopCloser(io.LimitReader(p.Out.Body, p.Out.ContentLength))
	}
}

// serveTables adds a door to the tables, unless the user has named another DynamoDB.
func (l *Lab) serveTables() (err error) {
	var tables []assembly.Table
	for _, t := range l.options.Tables {
		if t.Unread != nil {
			l.warn("the lab does not serve table %s: %v", t.TableName, t.Unread)
			continue
		}
		tables = append(tables, t)
	}
	switch {
	case len(tables) == 0 || slices.ContainsFunc(l.options.Allow, func(d Door) bool { return d.Name == dynamoDB }):
		return nil
	case !l.ownNetwork:
		l.warn("the lab serves no tables, because the network is this machine's")
		return nil
	}
	door := Door{Name: dynamoDB}
	if door.tables, err = dynamo.New(tables, l.options.TableLatency); err != nil {
		return err
	}
	if door.trust, err = dynamo.NewTrust(); err != nil {
		return fmt.Errorf("making certificates for the lab's DynamoDB: %w", err)
	}
	l.options.Allow = append(slices.Clone(l.options.Allow), door)
	l.warn("the lab's own DynamoDB serves %s; a table is empty at first, or has the items of its import; "+
		"answers take %v (median; lognormal, sigma %v), rights are not checked, and nothing is kept",
		strings.Join(list.Map(tables, func(t assembly.Table) string { return t.TableName }), ", "),
		l.options.TableLatency, dynamo.Sigma)
	return nil
}

// listen returns the addresses to listen on inside an environment, or none if the network is the host's.
func (l *Lab) listen() []string {
	if !l.ownNetwork {
		return nil
	}
	addresses := []string{RuntimeAPI}
	for i := range l.options.Allow {
		addresses = append(addresses, "127.0.0.1:"+strconv.Itoa(firstDoor+i))
	}
	return addresses
}

// endpoints returns a function's own variables, and those for the credentials and for the addresses of the allowed
// services. The function's own value wins.
func (l *Lab) endpoints(own map[string]string) map[string]string {
	v := map[string]string{}
	maps.Copy(v, l.options.Credentials)
	for i, door := range l.options.Allow {
		to := "http://127.0.0.1:" + strconv.Itoa(firstDoor+i)
		switch {
		case door.tables != nil:
			to = "https" + strings.TrimPrefix(to, "http")
			maps.Copy(v, door.trust.Variables("/dev"))
		case !l.ownNetwork:
			to = door.URL.String()
		}
		v["AWS_ENDPOINT_URL_"+strings.ToUpper(door.Name)] = to
	}
	java := strings.TrimSpace(v[dynamo.JavaOptions] + " " + own[dynamo.JavaOptions])
	if maps.Copy(v, own); java != "" {
		v[dynamo.JavaOptions] = java
	}
	return v
}

// chooseNetwork finds out whether environments can have their own networks.
func (l *Lab) chooseNetwork() error {
	if l.options.HostNetwork {
		l.warn("the network is this machine's, as asked: functions can reach everything that this machine can, " +
			"its loopback services, and each other's Runtime APIs")
		return l.serveTables()
	}
	err := sandbox.ProbeNetwork(l.unprivileged)
	if err != nil && len(l.options.Allow) > 0 {
		return fmt.Errorf("--allow needs a network for each environment, which fails here: %w: use --network host", err)
	}
	if err != nil {
		l.warn("the network is this machine's, because environments cannot have their own networks here: %v", err)
	}
	l.ownNetwork = err == nil
	return l.serveTables()
}
