// The control plane of Kubernetes in one program: which part it is, its name says (argv[0]).
//
// As control-plane it starts the others in its working directory, and ends when any of them does, or
// when it is told to: with all of them. What it reads there: tokens.csv, and one kubeconfig for each of
// the parts. What it writes: a certificate, its key, the key that signs service accounts' tokens.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/client-go/util/cert"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

func main() {
	switch filepath.Base(os.Args[0]) {
	case "etcd":
		etcdmain.Main(os.Args)
	case "kube-apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "kube-controller-manager":
		os.Exit(cli.Run(controllers.NewControllerManagerCommand()))
	case "kube-scheduler":
		os.Exit(cli.Run(scheduler.NewSchedulerCommand()))
	default:
		if len(os.Args) != 2 {
			fmt.Fprintln(os.Stderr, "usage: control-plane PORT")
			os.Exit(2)
		}
		if err := run(os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, "control-plane:", err)
			os.Exit(1)
		}
	}
}

// run starts every part and waits for the end of the first. The kernel kills the others with this process.
func run(port string) error {
	runtime.LockOSThread() // a child is killed at the end of the thread that started it
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGINT)
	ended := make(chan error, 4)
	if err := writeKeys(); err != nil {
		return err
	}
	if err := start(ended, "etcd", "--data-dir=etcd", "--unsafe-no-fsync", "--log-level=error",
		"--listen-client-urls=unix://client:1", "--advertise-client-urls=unix://client:1",
		"--listen-peer-urls=unix://peer:1", "--initial-advertise-peer-urls=unix://peer:1",
		"--initial-cluster=default=unix://peer:1"); err != nil {
		return err
	}
	if err := start(ended, "kube-apiserver", "--etcd-servers=unix://client:1",
		"--bind-address=127.0.0.1", "--secure-port="+port, "--advertise-address=192.0.2.1", // none is given out:
		"--endpoint-reconciler-type=none", "--service-cluster-ip-range=10.96.0.0/16",
		"--tls-cert-file=apiserver.crt", "--tls-private-key-file=apiserver.key",
		"--token-auth-file=tokens.csv", "--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--kubelet-client-certificate=node.crt", "--kubelet-client-key=node.key",
		"--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-signing-key-file=accounts.key", "--service-account-key-file=accounts.key",
		"--shutdown-delay-duration=0s", "--profiling=false"); err != nil {
		return err
	}
	ready := make(chan error, 1)
	go func() { ready <- wait("https://127.0.0.1:" + port + "/livez") }()
	for {
		select {
		case err := <-ready: // the others give up when they find no API server
			if err != nil {
				return err
			}
			if err := start(ended, "kube-controller-manager", "--kubeconfig=controllers.kubeconfig",
				"--leader-elect=false", "--secure-port=0", "--kube-api-qps=500", "--kube-api-burst=1000",
				"--root-ca-file=apiserver.crt", "--service-account-private-key-file=accounts.key"); err != nil {
				return err
			}
			if err := start(ended, "kube-scheduler", "--kubeconfig=scheduler.kubeconfig",
				"--leader-elect=false", "--secure-port=0", "--kube-api-qps=500", "--kube-api-burst=1000"); err != nil {
				return err
			}
		case err := <-ended:
			return err
		case <-told:
			return nil
		}
	}
}

// start runs this program again under another name.
func start(ended chan<- error, name string, arguments ...string) error {
	part := exec.Cmd{
		Path: "/proc/self/exe", Args: append([]string{name}, arguments...),
		Stdout: os.Stdout, Stderr: os.Stderr,
		SysProcAttr: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	}
	if err := part.Start(); err != nil {
		return err
	}
	go func() { ended <- fmt.Errorf("%s ended: %v", name, part.Wait()) }()
	return nil
}

// writeKeys writes what the API server shows its clients, and what it signs accounts' tokens with.
func writeKeys() error {
	if _, err := os.Stat("accounts.key"); err == nil {
		return nil // started again, with the same data
	}
	certificate, key, err := cert.GenerateSelfSignedCertKey("127.0.0.1", []net.IP{net.IPv4(10, 96, 0, 1)},
		[]string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"})
	if err != nil {
		return err
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	signing, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		return err
	}
	// What the API server and the node know each other by: for both directions, so without an intended use.
	shown, err := x509.CreateCertificate(rand.Reader, &both, &both, &private.PublicKey, private)
	if err != nil {
		return err
	}
	node := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: shown})
	accounts := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: signing})
	for name, content := range map[string][]byte{
		"apiserver.key": key, "apiserver.crt": certificate, "accounts.key": accounts,
		"node.crt": node, "node.key": accounts} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

var both = x509.Certificate{
	SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "wasm-lab node"},
	NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(365 * 24 * time.Hour),
	IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
}

// wait returns when the API server lives.
func wait(address string) error {
	certificate, err := os.ReadFile("apiserver.crt")
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certificate)
	client := http.Client{
		Timeout:   2 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}},
	}
	for {
		answer, err := client.Get(address)
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
}
