//! A cluster behind TLS that wants to see a certificate of who asks, and is reached by a kubeconfig.

use std::{
    fs,
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use hekate::{
    inventory::{Consumer, ConsumerType},
    net::Driver,
    respond::kubernetes::{Access, Cluster, Wait, check},
};
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tempfile::TempDir;

use super::kubernetes_double::{KubernetesDouble, objects, token};

/// Two authorities; of the first a certificate for a server called `kubernetes`, and one for a client.
const CERTIFICATES: &str = r#"set -e
make() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.raw"; openssl pkcs8 -topk8 -nocrypt -in "$1.raw" -out "$1.key"; }
for ca in ca other; do
    make $ca
    openssl req -x509 -new -key $ca.key -days 2 -subj "/CN=hekate test $ca" -out $ca.pem -addext "basicConstraints=critical,CA:TRUE"
done
printf 'subjectAltName=DNS:kubernetes\nbasicConstraints=CA:FALSE\n' > extensions
for name in server client; do
    make $name
    openssl req -new -key $name.key -subj "/CN=$name" -out $name.csr
    openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out $name.pem
done
"#;

/// Makes them; none where there is no openssl.
#[expect(clippy::print_stderr, reason = "a test that does nothing has to say so")]
fn certificates() -> Option<TempDir> {
    let folder = tempfile::tempdir().expect("a folder");
    if Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_err() {
        eprintln!("skipped: there is no openssl");
        return None;
    }
    let script = Command::new("sh").args(["-c", CERTIFICATES]).current_dir(folder.path()).output();
    assert!(script.expect("run a shell").status.success(), "the certificates can't be made");
    Some(folder)
}

/// Takes TLS from clients with a certificate, one request each, and hands it on in clear.
fn front(folder: &Path, behind: String) -> SocketAddr {
    let read = |name: &str| fs::read(folder.join(name)).expect("it was made");
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&read("ca.pem")).expect("it is PEM")).expect("it is a CA");
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has them")
        .with_client_cert_verifier(verifier.build().expect("there is a root"))
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(&read("server.pem")).expect("it is PEM")],
            PrivateKeyDer::from_pem_slice(&read("server.key")).expect("it is PEM"),
        )
        .expect("certificate and key fit");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).expect("the config is whole");
            // Who does not get through is the test's business, not this thread's.
            drop(hand_on(StreamOwned::new(connection, stream), &behind));
        }
    });
    address
}

fn hand_on(mut tls: StreamOwned<ServerConnection, TcpStream>, behind: &str) -> io::Result<()> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    let length = loop {
        let count = tls.read(&mut buffer)?;
        request.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
        let Some(end) = text.find("\r\n\r\n") else { continue };
        let length = text.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
        break end + 4 + length.and_then(|length| length.parse::<usize>().ok()).unwrap_or(0);
    };
    while request.len() < length {
        let count = tls.read(&mut buffer)?;
        request.extend_from_slice(&buffer[..count]);
    }
    let mut clear = TcpStream::connect(behind)?;
    clear.write_all(&request)?;
    let mut answer = Vec::new();
    clear.read_to_end(&mut answer)?;
    tls.write_all(&answer)?;
    tls.conn.send_close_notify();
    tls.flush()
}

/// Looks at a Deployment by a kubeconfig with these fields.
fn looked(folder: &Path, cluster: &str, user: &str) -> Result<(), String> {
    let text = format!(
        "current-context: c\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n\
         clusters: [{{name: c, cluster: {cluster}}}]\nusers: [{{name: u, user: {user}}}]\n"
    );
    let file = folder.join("kubeconfig");
    fs::write(&file, text).expect("write a kubeconfig");
    let file = file.to_string_lossy().into_owned();
    let access = Access::find(&|name| (name == "KUBECONFIG").then(|| file.clone()), None).expect("it is one");
    let driver =
        Driver::new(access.driver_options().expect("no plugin")).map_err(|error| error.to_string())?;
    let zeus = Consumer {
        kind: ConsumerType::Deployment,
        namespace: "kosmos".into(),
        name: "zeus".into(),
        next_env: None,
        secret: None,
        token: None,
    };
    let wait = Wait { within: Duration::from_millis(50), pace: Duration::from_millis(20), ..Wait::default() };
    check(&Cluster::new(&driver, &access), &zeus, &wait)
}

#[test]
fn a_cluster_is_reached_by_its_own_ca_and_our_certificate_and_by_no_other() {
    let Some(folder) = certificates() else { return };
    let double = KubernetesDouble::start();
    double.world().put(objects::deployment("kosmos", "zeus", "credentials"));
    let address = front(folder.path(), double.url().replace("http://", ""));
    let cluster = |ca: &str, name: &str| {
        format!("{{server: \"https://{address}\", certificate-authority: {ca}.pem{name}}}")
    };
    let user = |certificate: &str| format!("{{token: {}{certificate}}}", token());
    let named = ", tls-server-name: kubernetes";
    let shown = ", client-certificate: client.pem, client-key: client.key";
    let look = |cluster: String, user: String| looked(folder.path(), &cluster, &user);
    assert_eq!(look(cluster("ca", named), user(shown)), Ok(()));
    let seen = double.received().len();
    let by_other = look(cluster("other", named), user(shown)).unwrap_err();
    assert!(by_other.contains("nobody that is trusted signed its certificate"), "{by_other}");
    let by_address = look(cluster("ca", ""), user(shown)).unwrap_err();
    assert!(by_address.contains("its certificate is that of another host"), "{by_address}");
    assert!(look(cluster("ca", named), user("")).is_err(), "without a certificate nobody gets in");
    let swapped = ", client-certificate: client.pem, client-key: server.key";
    let said = look(cluster("ca", named), user(swapped)).unwrap_err();
    assert_eq!(said, "the client certificate can't be used: certificate and key don't fit");
    let torn = ", client-certificate: extensions, client-key: client.key";
    let said = look(cluster("ca", named), user(torn)).unwrap_err();
    assert!(said.contains("there is no certificate in PEM"), "{said}");
    assert_eq!(double.received().len(), seen, "no other request came through");
}
