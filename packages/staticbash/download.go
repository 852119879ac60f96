package staticbash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"
)

// client gives up within seconds on a server that does not answer, because there are others. A running download has
// no time limit.
var client = &http.Client{Transport: &http.Transport{
	Proxy:                 http.ProxyFromEnvironment,
	DialContext:           (&net.Dialer{Timeout: 4 * time.Second}).DialContext,
	TLSHandshakeTimeout:   4 * time.Second,
	ResponseHeaderTimeout: 8 * time.Second,
}}

const (
	downloadTime = 3 * time.Minute
	downloadSize = 32 << 20 // bytes; the archive has 10 MB
)

// download returns a function that downloads from a URL.
func download(address string) func(context.Context, string) error {
	return func(ctx context.Context, to string) error {
		ctx, cancel := context.WithTimeout(ctx, downloadTime)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return brief(err)
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return errors.New(response.Status)
		}
		file, err := os.Create(to)
		if err != nil {
			return err
		}
		defer file.Close()
		if _, err := io.Copy(file, io.LimitReader(response.Body, downloadSize)); err != nil {
			return fmt.Errorf("downloading: %w", brief(err))
		}
		return file.Close()
	}
}

// brief removes method and URL from an error, because the message already names the server.
func brief(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return errors.New(dns.Err)
	}
	return err
}
