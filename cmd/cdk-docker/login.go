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
type login struct {
	Username      string `short:"u"`
	PasswordStdin bool
	Password      string   `short:"p"`
	Hosts         []string `arg:"" optional:""`
}

func (o *login) Run(c *call) error {
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
type logout struct{ names }

func (o *logout) Run(c *call) error {
	if len(o.Names) != 1 {
		return usagef("logout takes one registry")
	}
	if err := c.builder.Store.Credentials().Logout(o.Names[0]); err != nil {
		return &storeError{err}
	}
	return nil
}
