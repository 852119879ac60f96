package double

import "github.com/twinstart/twinstart/lab/api"

// Invoke implements api.Backend.
func (d *Lambda) Invoke(name string, in api.Invocation) (api.Result, error) {
	r, v, err := d.begin(name, in)
	if err != nil {
		return api.Result{}, err
	}
	a := d.Run(r)
	d.mu.Lock()
	d.inside--
	if !a.crashed() {
		v.idle++
	}
	d.mu.Unlock()
	if a.Error != nil {
		return api.Result{}, a.Error
	}
	result := api.Result{Payload: []byte(a.Payload), Log: []byte(a.Log)}
	if a.Log == "" {
		result.Log = []byte(a.Lines(r))
	}
	if a.FunctionError != "" {
		result.FunctionError, result.Payload = "Unhandled", []byte(a.FunctionError)
	} else if a.Payload == "" {
		result.Payload = []byte("{}")
	}
	return result, nil
}

func (d *Lambda) begin(name string, in api.Invocation) (r Run, v *version, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, v, err := d.find(name)
	if err != nil {
		return r, nil, err
	}
	r = Run{Configuration: v.shown(), Payload: in.Payload, RequestID: in.RequestID}
	if r.State == api.Inactive { // the call is refused, but it activates the function
		v.State, f.busy = api.Pending, max(1, d.InProgress)
	}
	if err := r.Callable(); err != nil {
		return r, nil, err
	}
	d.runs++
	d.inside++
	d.widest = max(d.widest, d.inside)
	r.N = d.runs
	isLatest := v == &f.latest
	switch {
	case isLatest && f.updating(): // the function is still served by its old environments
	case isLatest || !r.SnapStart: // $LATEST has no snapshot
		r.Cold, v.warm = !v.warm, true
	default:
		r.Cold = v.idle == 0
		r.Restored = r.Cold
		v.idle = max(0, v.idle-1)
	}
	return r, v, nil
}
