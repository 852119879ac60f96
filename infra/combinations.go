package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/dashboard"
)

// snapStart reports whether this is the experiment of snapshots, which crosses every arm with the levels of SnapStart.
func (s *settings) snapStart() bool { return s.Experiment == arm.SnapStart }

// levels returns the levels of SnapStart, or "" alone if SnapStart is not a factor of the experiment.
func (s *settings) levels() []string {
	switch {
	case !s.snapStart():
		return []string{""}
	case len(s.Packages) > 0: // only their own code can prime them
		return []string{arm.SnapStartOff, arm.Unprimed}
	}
	return []string{arm.SnapStartOff, arm.Unprimed, arm.Primed}
}

// complete sets defaults, which depend on whose packages are measured. It refuses options that the experiment excludes.
func (s *settings) complete() error {
	switch {
	case !s.snapStart():
	case s.Provisioned != nil:
		return errors.New("-c experiment=snapstart and -c provisioned: Lambda refuses SnapStart with provisioned " +
			"concurrency: leave -c provisioned out, or use another name for the experiment")
	case s.TmpMB > arm.MinTmpMB:
		return fmt.Errorf("-c experiment=snapstart and -c tmp=%d: Lambda takes no snapshot with more than %d MB of /tmp: "+
			"leave -c tmp out, or use another name for the experiment", s.TmpMB, arm.MinTmpMB)
	}
	if err := s.completeLanguages(); err != nil || s.Experiment == languagesName {
		return err
	}
	if err := s.completeLevers(); err != nil {
		return err
	}
	if len(s.Packages) > 0 {
		s.Experiment = cmp.Or(s.Experiment, "own")
		switch {
		case s.Provisioned != nil || s.URL:
			return errors.New("-c packages measures functions by Invoke, on demand: leave -c provisioned and -c url out")
		case s.Arms != nil:
			return errors.New("-c arms and -c packages: arms are our own bootstraps: leave one out")
		}
		return nil
	}
	s.Experiment = cmp.Or(s.Experiment, "packaging")
	switch {
	case s.Runtime != "":
		return errors.New("-c runtime is for packages of your own: add -c packages=function.zip")
	case s.Arms == nil && s.snapStart():
		s.Arms, _ = selectArms([]string{"bashtcp", "nethttp", "lambdago", "rawsyscall"}) // they exist
	case s.Arms == nil:
		s.Arms = factorial()
	}
	if s.Handler == "" {
		usual := map[string]string{arm.SnapStart: "primed", "levers": leversHandler, "sizes": leversHandler}
		s.Handler = cmp.Or(usual[s.Experiment], "echo")
	} else if err := handlerFolder(s.Handler); err != nil {
		return fmt.Errorf("-c handler=%s: %w", s.Handler, err)
	}
	return nil
}

// validate refuses options that contradict each other, before anything is built.
func (s *settings) validate() error {
	p := s.Provisioned
	switch {
	case p != nil && s.Reserved > 0 && *p.Max > float64(s.Reserved):
		return fmt.Errorf("-c provisioned with up to %v environments and -c reserved=%d: the function may not have so many: "+
			"raise reserved, or provision fewer", *p.Max, s.Reserved)
	case s.Logs && slices.Contains(s.Observe, dashboard.Metrics):
		return errors.New("-c logs=experiment and -c observe=metrics: metrics by arm are made of events, and events of a " +
			"shared log group do not name their arm: leave one out")
	case s.VPC == "" && s.Subnets != nil:
		return errors.New("-c subnets: subnets were given without a VPC: add -c vpc=vpc-ID")
	case s.VPC == "new" && s.Subnets != nil:
		return errors.New("-c vpc=new brings its own subnets: leave -c subnets out, or name the VPC that has them")
	case s.VPC != "" && s.VPC != "new" && s.Subnets == nil:
		return fmt.Errorf("-c vpc=%s: its subnets are not named: add -c subnets=subnet-ID,subnet-ID", s.VPC)
	}
	return nil
}
