package api

import (
	"net/http"
	"time"
)

// Provisioned is the state of a version's provisioned concurrency.
type Provisioned struct {
	Requested, Ready int
	Failure          string // the error of the last INIT that failed
	Since            time.Time
}

func (p Provisioned) document() map[string]any {
	d := map[string]any{"RequestedProvisionedConcurrentExecutions": p.Requested, "AllocatedProvisionedConcurrentExecutions": p.Ready,
		"AvailableProvisionedConcurrentExecutions": p.Ready, "LastModified": p.Since.UTC().Format("2006-01-02T15:04:05-0700"), "Status": "IN_PROGRESS"}
	switch {
	case p.Ready >= p.Requested:
		d["Status"] = "READY"
	case p.Failure != "":
		d["Status"], d["StatusReason"] = "FAILED", p.Failure
	}
	return d
}

// concurrency registers the routes of reserved and provisioned concurrency.
func (s server) concurrency(mux *http.ServeMux, d Deployer) {
	const reserved, provisioned = "/functions/{name}/concurrency", "/functions/{name}/provisioned-concurrency"
	// on calls do with the function of a request, and answers with the value that do returns.
	on := func(pattern string, status int, do func(r *http.Request, name string, n *int) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			var in struct{ ReservedConcurrentExecutions, ProvisionedConcurrentExecutions *int }
			name, ok := target(w, r)
			if !ok || !read(w, r, &in) {
				return
			}
			n := in.ReservedConcurrentExecutions
			if n == nil {
				n = in.ProvisionedConcurrentExecutions
			}
			_, err := s.backend.Function(name)
			if err == nil && r.Method == http.MethodPut && (n == nil || *n < 0) {
				err = Invalid("ConcurrentExecutions must be 0 or more")
			}
			var answer any
			if err == nil {
				answer, err = do(r, name, n)
			}
			switch {
			case err != nil:
				Fail(w, err)
			case answer == nil:
				w.WriteHeader(status)
			default:
				reply(w, status, answer)
			}
		})
	}
	on("PUT /2017-10-31"+reserved, http.StatusOK, func(_ *http.Request, name string, n *int) (any, error) {
		return map[string]int{"ReservedConcurrentExecutions": *n}, d.Reserve(name, n)
	})
	on("GET /2019-09-30"+reserved, http.StatusOK, func(_ *http.Request, name string, _ *int) (any, error) {
		c, err := s.backend.Function(name)
		answer := map[string]int{}
		if c.ReservedConcurrency != nil {
			answer["ReservedConcurrentExecutions"] = *c.ReservedConcurrency
		}
		return answer, err
	})
	on("DELETE /2017-10-31"+reserved, http.StatusNoContent, func(_ *http.Request, name string, _ *int) (any, error) { return nil, d.Reserve(name, nil) })

	of := func(r *http.Request) string { return r.URL.Query().Get("Qualifier") }
	get := func(r *http.Request, name string) (any, error) {
		p, err := d.Provisioned(name, of(r))
		if err == nil && p.Requested == 0 {
			err = &Error{Status: http.StatusNotFound, Code: "ProvisionedConcurrencyConfigNotFoundException", Message: "No Provisioned Concurrency Config found for this function"}
		}
		return p.document(), err
	}
	on("PUT /2019-09-30"+provisioned, http.StatusAccepted, func(r *http.Request, name string, n *int) (any, error) {
		if *n == 0 || of(r) == "" || of(r) == Latest {
			return nil, Invalid("Provisioned Concurrency Configs are 1 or more, of a version or an alias")
		}
		if err := d.Provision(name, of(r), *n); err != nil {
			return nil, err
		}
		return get(r, name)
	})
	on("GET /2019-09-30"+provisioned, http.StatusOK, func(r *http.Request, name string, _ *int) (any, error) {
		if r.URL.Query().Get("List") == "" {
			return get(r, name)
		}
		all := []any{}
		versions, err := s.backend.Versions(name)
		for _, c := range versions {
			if p, err := d.Provisioned(name, c.Version); err == nil && p.Requested > 0 {
				document := p.document()
				document["FunctionArn"] = c.ARN
				all = append(all, document)
			}
		}
		return map[string]any{"ProvisionedConcurrencyConfigs": all}, err
	})
	on("DELETE /2019-09-30"+provisioned, http.StatusNoContent, func(r *http.Request, name string, _ *int) (any, error) {
		return nil, d.Provision(name, of(r), 0)
	})
}
