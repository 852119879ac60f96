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

// Trust is a certificate authority of one lab, with what makes clients trust it.
type Trust struct {
	TLS   *tls.Config
	Files map[string][]byte // by name; the certificate of the authority for OpenSSL and others, and for Java
}

// JavaOptions is the variable with options of Java, which a function may set too.
const JavaOptions = "JAVA_TOOL_OPTIONS"

// The names in Trust.Files.
const (
	pemFile = "lab-ca.pem"
	jksFile = "lab-ca.jks"
)

// NewTrust makes an authority, and a certificate for 127.0.0.1 that ends with the lab: both are of these 30 days.
func NewTrust() (*Trust, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Twinstart lab"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 0, 30), KeyUsage: x509.KeyUsageCertSign}
	own := template
	own.SerialNumber, own.Subject, own.IsCA, own.KeyUsage = big.NewInt(2), pkix.Name{CommonName: "127.0.0.1"}, false, x509.KeyUsageDigitalSignature
	own.IPAddresses, own.ExtKeyUsage = []net.IP{net.IPv4(127, 0, 0, 1)}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	authority, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.CreateCertificate(rand.Reader, &own, &template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &Trust{
		TLS: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}}, MinVersion: tls.VersionTLS12},
		Files: map[string][]byte{
			pemFile: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority}),
			jksFile: javaKeyStore(authority),
		},
	}, nil
}

// javaKeyStore returns a key store in Java's own format, which Java reads without a password.
// sun.security.provider.JavaKeyStore describes it.
func javaKeyStore(certificate []byte) []byte {
	var b bytes.Buffer
	for _, v := range []any{uint32(0xfeedfeed), uint32(2), uint32(1), uint32(2), uint16(3), []byte("lab"), time.Now().UnixMilli(), uint16(5), []byte("X.509"),
		uint32(len(certificate)), certificate, [20]byte{}} { // the last is a digest, for who has a password
		binary.Write(&b, binary.BigEndian, v) //nolint:errcheck // a buffer takes all
	}
	return b.Bytes()
}

// Variables returns the variables by which SDKs, curl and Java trust the authority whose files are in a folder.
func (*Trust) Variables(folder string) map[string]string {
	file := folder + "/" + pemFile
	return map[string]string{"AWS_CA_BUNDLE": file, "NODE_EXTRA_CA_CERTS": file, "SSL_CERT_FILE": file,
		JavaOptions: "-Djavax.net.ssl.trustStoreType=jks -Djavax.net.ssl.trustStore=" + folder + "/" + jksFile}
}
