package main

import (
	"fmt"
	"io"
	"strings"
)

// maxPassword is larger than any registry's token: an ECR token has about 2 kB.
const maxPassword = 64 << 10

// login: login --username NAME --password-stdin HOST. It does not ask the registry, so a wrong password shows at a
// push.
func login(c *call, args []string) error {
	var o struct {
		Username      string `short:"u"`
		PasswordStdin bool
		Password      string   `short:"p"`
		Hosts         []string `arg:"" optional:""`
	}
	if err := parse("login", &o, args); err != nil {
		return err
	}
	switch {
	case o.Password != "":
		return usagef("login: --password shows in the list of processes: use --password-stdin")
	case !o.PasswordStdin:
		return usagef("login asks nobody: use --password-stdin")
	case o.Username == "":
		return usagef("login needs --username")
	case len(o.Hosts) > 1:
		return usagef("login takes one registry")
	}
	host := append(o.Hosts, "docker.io")[0]
	secret, err := io.ReadAll(io.LimitReader(c.stdin, maxPassword+1))
	if err != nil {
		return fmt.Errorf("reading the password: %w", err)
	}
	text := strings.TrimRight(string(secret), "\r\n")
	if text == "" || len(secret) > maxPassword {
		return usagef("login: stdin holds no password")
	}
	if err := c.builder.Store.Credentials().Login(host, o.Username, text); err != nil {
		return &storeError{err}
	}
	_, err = fmt.Fprintln(c.stdout, "Login Succeeded")
	return err
}

// logout: logout HOST.
func logout(c *call, args []string) error {
	hosts, err := names("logout", args)
	if err != nil {
		return err
	}
	if len(hosts) != 1 {
		return usagef("logout takes one registry")
	}
	if err := c.builder.Store.Credentials().Logout(hosts[0]); err != nil {
		return &storeError{err}
	}
	return nil
}
