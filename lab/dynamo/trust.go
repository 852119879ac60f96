package dynamo

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"math/big"
	"net"
	"time"
)

// Trust is a lab's certificate authority, with the files that make clients trust it.
type Trust struct {
	TLS   *tls.Config
	Files map[string][]byte // by name: the authority's certificate as PEM, and in a key store for Java
}

// JavaOptions is the environment variable with Java's options. A function may set it too.
const JavaOptions = "JAVA_TOOL_OPTIONS"

// The names in Trust.Files.
const (
	pemFile = "lab-ca.pem"
	jksFile = "lab-ca.jks"
)

// NewTrust makes an authority, and a certificate for 127.0.0.1. Both are valid for 30 days.
func NewTrust() (*Trust, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Twinstart lab"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 0, 30)}
	own := template
	own.SerialNumber, own.Subject, own.IsCA = big.NewInt(2), pkix.Name{CommonName: "127.0.0.1"}, false
	own.KeyUsage, own.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	own.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	authority, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.CreateCertificate(rand.Reader, &own, &template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	serving := tls.Certificate{Certificate: [][]byte{certificate}, PrivateKey: key}
	return &Trust{
		TLS: &tls.Config{Certificates: []tls.Certificate{serving}, MinVersion: tls.VersionTLS12},
		Files: map[string][]byte{
			pemFile: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority}),
			jksFile: javaKeyStore(authority),
		},
	}, nil
}

// javaKeyStore returns a key store in Java's own format, which Java reads without a password.
// See sun.security.provider.JavaKeyStore.
func javaKeyStore(certificate []byte) []byte {
	var b bytes.Buffer
	for _, v := range []any{
		uint32(0xfeedfeed), uint32(2), uint32(1), uint32(2), uint16(3), []byte("lab"), time.Now().UnixMilli(),
		uint16(5), []byte("X.509"), uint32(len(certificate)), certificate, [20]byte{}, // digest, read with a password only
	} {
		binary.Write(&b, binary.BigEndian, v) //nolint:errcheck // writing to a buffer cannot fail
	}
	return b.Bytes()
}

// Variables returns the environment variables that make SDKs, curl and Java trust the authority, whose files are in
// folder.
func (*Trust) Variables(folder string) map[string]string {
	file := folder + "/" + pemFile
	return map[string]string{"AWS_CA_BUNDLE": file, "NODE_EXTRA_CA_CERTS": file, "SSL_CERT_FILE": file,
		JavaOptions: "-Djavax.net.ssl.trustStoreType=jks -Djavax.net.ssl.trustStore=" + folder + "/" + jksFile}
}
