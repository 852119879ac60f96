package api

import (
	"cmp"
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
	d := map[string]any{"RequestedProvisionedConcurrentExecutions": p.Requested, "Status": "IN_PROGRESS",
		"AllocatedProvisionedConcurrentExecutions": p.Ready, "AvailableProvisionedConcurrentExecutions": p.Ready,
		"LastModified": p.Since.UTC().Format("2006-01-02T15:04:05-0700")}
	switch {
	case p.Ready >= p.Requested:
		d["Status"] = "READY"
	case p.Failure != "":
		d["Status"], d["StatusReason"] = "FAILED", p.Failure
	}
	return d
}

// concurrency registers the routes of reserved and provisioned concurrency.
func (s server) concurrency(m routes, d Deployer) {
	const reserved, provisioned = "/functions/{name}/concurrency", "/functions/{name}/provisioned-concurrency"
	// on registers a route. do gets the function or version, and the number in the request, which a PUT has.
	on := func(pattern string, status int, do func(r call, of Configuration, n *int) (any, error)) {
		m.on(pattern, status, func(r call) (any, error) {
			var in struct{ ReservedConcurrentExecutions, ProvisionedConcurrentExecutions *int }
			if err := r.read(maxRequest, &in); err != nil {
				return nil, err
			}
			n := cmp.Or(in.ReservedConcurrentExecutions, in.ProvisionedConcurrentExecutions)
			c, err := s.find(r)
			if err == nil && r.Method == http.MethodPut && (n == nil || *n < 0) {
				err = Invalid("ConcurrentExecutions must be 0 or more")
			}
			if err != nil {
				return nil, err
			}
			return do(r, c, n)
		})
	}
	on("PUT /2017-10-31"+reserved, http.StatusOK, func(r call, _ Configuration, n *int) (any, error) {
		return map[string]int{"ReservedConcurrentExecutions": *n}, d.Reserve(r.name, n)
	})
	on("GET /2019-09-30"+reserved, http.StatusOK, func(_ call, c Configuration, _ *int) (any, error) {
		return struct {
			ReservedConcurrentExecutions *int `json:",omitempty"`
		}{c.ReservedConcurrency}, nil
	})
	on("DELETE /2017-10-31"+reserved, http.StatusNoContent, func(r call, _ Configuration, _ *int) (any, error) {
		return nil, d.Reserve(r.name, nil)
	})

	get := func(c Configuration) (any, error) {
		p, err := d.Provisioned(c.Reference())
		if err == nil && p.Requested == 0 {
			err = NewError(http.StatusNotFound, "ProvisionedConcurrencyConfigNotFoundException",
				"No Provisioned Concurrency Config found for this function")
		}
		return p.document(), err
	}
	on("PUT /2019-09-30"+provisioned, http.StatusAccepted, func(_ call, c Configuration, n *int) (any, error) {
		if *n == 0 || c.Version == Latest {
			return nil, Invalid("provisioned concurrency must be 1 or more, and its Qualifier must be a version or an alias")
		}
		if err := d.Provision(c.Reference(), *n); err != nil {
			return nil, err
		}
		return get(c)
	})
	on("GET /2019-09-30"+provisioned, http.StatusOK, func(r call, c Configuration, _ *int) (any, error) {
		if r.query("List") == "" {
			return get(c)
		}
		all := []any{}
		versions, err := s.backend.Versions(r.name)
		for _, c := range versions {
			if p, err := d.Provisioned(c.Reference()); err == nil && p.Requested > 0 {
				document := p.document()
				document["FunctionArn"] = c.ARN
				all = append(all, document)
			}
		}
		return map[string]any{"ProvisionedConcurrencyConfigs": all}, err
	})
	on("DELETE /2019-09-30"+provisioned, http.StatusNoContent, func(_ call, c Configuration, _ *int) (any, error) {
		return nil, d.Provision(c.Reference(), 0)
	})
}
