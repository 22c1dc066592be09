use std::{collections::BTreeMap, time::Instant};

use tempfile::TempDir;

use super::*;

/// A folder with files in it.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

fn found(variables: &[(&str, &Path)], context: Option<&str>) -> Result<Access, AccessError> {
    let known: BTreeMap<&str, String> =
        variables.iter().map(|(name, path)| (*name, path.to_string_lossy().into_owned())).collect();
    Access::find_with(&|name| known.get(name).cloned(), context, Path::new("/nowhere"))
}

/// Of a kubeconfig with one cluster and one user, whose fields are given.
fn access(cluster: &str, user: &str) -> Result<Access, AccessError> {
    let folder = folder(&[("config", &config(cluster, user))]);
    found(&[("KUBECONFIG", &folder.path().join("config"))], None)
}

fn config(cluster: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: one\npreferences: {{}}\n\
         contexts: [{{name: one, context: {{cluster: c, user: u, namespace: kosmos}}}}]\n\
         clusters: [{{name: c, cluster: {cluster}}}]\nusers: [{{name: u, user: {user}}}]\n"
    )
}

fn said(result: Result<Access, AccessError>) -> String {
    result.expect_err("it is refused").to_string()
}

fn bearer(access: &Access) -> String {
    String::from_utf8(access.bearer(None).unwrap().unwrap().expose().to_vec()).unwrap()
}

#[test]
fn a_server_may_have_a_path_and_is_reached_where_it_is() {
    let token = "t".repeat(9);
    for (server, origin, base) in [
        ("https://kosmos.example:6443", "https://kosmos.example:6443", ""),
        ("https://10.0.0.1/", "https://10.0.0.1", ""),
        ("https://rancher.example/k8s/clusters/c-1/", "https://rancher.example", "/k8s/clusters/c-1"),
        ("http://127.0.0.1:8001", "http://127.0.0.1:8001", ""),
        ("http://[::1]:8001", "http://[::1]:8001", ""),
    ] {
        let access = access(&format!("{{server: \"{server}\"}}"), &format!("{{token: {token}}}")).unwrap();
        assert_eq!((access.origin().as_str(), access.base()), (origin, base));
        assert_eq!(bearer(&access), token);
        let options = access.driver_options().unwrap();
        assert_eq!(options.origins, [access.origin().clone()]);
        assert!(!options.tls.only_extra_roots, "without a CA everybody's roots count");
        assert!(!format!("{access:?}").contains(&token));
    }
}

#[test]
fn what_would_be_unsafe_or_somebody_else_is_refused_with_the_reason() {
    let server = "server: \"https://k.example\"";
    for (cluster, user, expected) in [
        (format!("{{{server}, insecure-skip-tls-verify: true}}"), "{}", "`insecure-skip-tls-verify`"),
        (format!("{{{server}, proxy-url: \"http://p\"}}"), "{}", "`proxy-url`"),
        ("{server: \"http://k.example\"}".into(), "{}", "is not https"),
        ("{server: \"https://u:hunter2@k.example\"}".into(), "{}", "`server` is no address"),
        ("{server: k.example}".into(), "{}", "`server` is no address"),
        ("{}".into(), "{}", "`server` is no address"),
        (format!("{{{server}, certificate-authority-data: \"%%\"}}"), "{}", "is no base64"),
        (format!("{{{server}}}"), "{username: a, password: hunter2}", "`username` and `password`"),
        (format!("{{{server}}}"), "{auth-provider: {name: gcp}}", "`auth-provider`"),
        (format!("{{{server}}}"), "{as: admin}", "acting as somebody else"),
        (format!("{{{server}}}"), "{as-groups: [system:masters]}", "acting as somebody else"),
        (format!("{{{server}}}"), "{client-certificate-data: aGk=}", "needs its key"),
        (format!("{{{server}}}"), "{token: \"hunter2 hunter2\"}", "`token` is no token"),
        (
            format!("{{{server}}}"),
            "{exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}}",
            "an apiVersion",
        ),
        (
            format!("{{{server}}}"),
            "{exec: {apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Always}}",
            "interactiveMode",
        ),
    ] {
        let said = said(access(&cluster, user));
        assert!(said.contains(expected), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn what_is_no_kubeconfig_is_told_by_its_line_and_not_by_its_text() {
    for text in [
        "token: hunter2\nusers: hunter2",
        "- hunter2",
        "a: [hunter2",
        "users: [{name: hunter2, user: {token: {}}}]",
    ] {
        let folder = folder(&[("config", text)]);
        let said = said(found(&[("HEKATE_KUBECONFIG", &folder.path().join("config"))], None));
        assert!(said.contains("it can't be read as one") && !said.contains("hunter2"), "{said}");
    }
    let bomb = format!("a: &a [x, x]\nb: [{}]\n", "*a, ".repeat(5_000));
    let folder = folder(&[("config", &bomb)]);
    assert!(found(&[("HEKATE_KUBECONFIG", &folder.path().join("config"))], None).is_err());
}

#[test]
fn files_are_merged_and_the_first_of_a_name_counts() {
    let first = "current-context: \"\"\ncontexts: [{name: two, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {token: first}}]\nclusters: null\n";
    let second = config("{server: \"https://second.example\"}", "{token: second}");
    let folder = folder(&[("first", first), ("second", &second), ("empty", "")]);
    let list = ["missing", "empty", "first", "second"].map(|name| folder.path().join(name));
    let list = PathBuf::from(std::env::join_paths(list).unwrap());
    let access = found(&[("KUBECONFIG", &list)], None).unwrap();
    assert_eq!(bearer(&access), "first");
    assert_eq!(access.to_string(), "the context one at https://second.example");
    assert_eq!(
        found(&[("KUBECONFIG", &list)], Some("two")).unwrap().to_string(),
        "the context two at https://second.example"
    );
    assert!(said(found(&[("KUBECONFIG", &list)], Some("three"))).ends_with("it has no context `three`"));
    let missing = folder.path().join("missing");
    assert!(said(found(&[("KUBECONFIG", &missing)], None)).ends_with("missing: entity not found"));
}

#[test]
fn files_beside_a_kubeconfig_are_found_and_a_token_file_is_read_each_time() {
    let text = config(
        "{server: \"https://k.example\", certificate-authority: ca.pem, tls-server-name: kubernetes}",
        "{token: unused, tokenFile: token, client-certificate: client.pem, client-key: client.key}",
    );
    let files = [
        ("config", text.as_str()),
        ("ca.pem", "ca"),
        ("token", "one\n"),
        ("client.pem", "chain"),
        ("client.key", "key"),
    ];
    let folder = folder(&files);
    let access = found(&[("HEKATE_KUBECONFIG", &folder.path().join("config"))], None).unwrap();
    assert_eq!(bearer(&access), "one");
    fs::write(folder.path().join("token"), "two").unwrap();
    assert_eq!(bearer(&access), "two");
    fs::write(folder.path().join("token"), " \n").unwrap();
    assert!(access.bearer(None).unwrap_err().to_string().ends_with("it holds no token"));
    let options = access.driver_options().unwrap();
    assert_eq!(options.extra_roots, b"ca");
    assert!(options.tls.only_extra_roots, "a cluster's own CA is the only one");
    assert_eq!(options.tls.server_name.as_deref(), Some("kubernetes"));
    let identity = ClientIdentity { chain: b"chain".to_vec(), key: Secret::new("key") };
    assert_eq!(options.tls.identity, Some(identity));
}

#[test]
fn the_first_place_that_says_where_a_cluster_is_counts() {
    let home = folder(&[]);
    fs::create_dir(home.path().join(".kube")).unwrap();
    fs::write(home.path().join(".kube/config"), config("{server: \"https://home.example\"}", "{}")).unwrap();
    let named = folder(&[("config", &config("{server: \"https://named.example\"}", "{}"))]);
    let file = named.path().join("config");
    let host = |access: Result<Access, AccessError>| access.unwrap().origin().host().to_owned();
    assert_eq!(host(found(&[("HOME", home.path())], None)), "home.example");
    assert_eq!(host(found(&[("HOME", home.path()), ("KUBECONFIG", &file)], None)), "named.example");
    let both = [("KUBECONFIG", home.path().join("nowhere")), ("HEKATE_KUBECONFIG", file.clone())];
    let both: Vec<(&str, &Path)> = both.iter().map(|(name, path)| (*name, path.as_path())).collect();
    assert_eq!(host(found(&both, None)), "named.example");
    assert_eq!(found(&[], None).unwrap_err(), AccessError::Nothing);
}

#[test]
fn a_pod_has_its_service_account() {
    let mount = folder(&[("token", "of-the-pod"), ("ca.crt", "ca")]);
    let find = |host: &str, context: Option<&str>, mount: &Path| {
        let host = host.to_owned();
        let variable = move |name: &str| match name {
            "KUBERNETES_SERVICE_HOST" => Some(host.clone()),
            "KUBERNETES_SERVICE_PORT" => Some("6443".to_owned()),
            _ => None,
        };
        Access::find_with(&variable, context, mount)
    };
    for (host, origin) in [("10.96.0.1", "https://10.96.0.1:6443"), ("fd00::1", "https://[fd00::1]:6443")] {
        let access = find(host, None, mount.path()).unwrap();
        assert_eq!(access.origin().as_str(), origin);
        assert_eq!(bearer(&access), "of-the-pod");
        assert!(access.driver_options().unwrap().tls.only_extra_roots);
    }
    assert!(find("10.96.0.1", Some("one"), mount.path()).is_err());
    assert!(find("a b", None, mount.path()).is_err());
    assert!(
        find("10.96.0.1", None, Path::new("/nowhere"))
            .unwrap_err()
            .to_string()
            .starts_with("read /nowhere/token: ")
    );
}

#[cfg(unix)]
mod plugins {
    use super::*;

    /// A kubeconfig whose plugin is a shell with this script, which finds its folder in `$0`. (A program just written may be busy.)
    fn with_plugin(script: &str) -> (TempDir, Access) {
        let folder = folder(&[("plugin", script)]);
        let exec = format!(
            "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: sh, args: ['{}', one, 'a b'], provideClusterInfo: true, \
             env: [{{name: STAGE, value: live}}], interactiveMode: Never}}}}",
            folder.path().join("plugin").display()
        );
        let file = folder.path().join("config");
        fs::write(&file, config("{server: \"https://k.example\"}", &exec)).unwrap();
        let access = found(&[("HEKATE_KUBECONFIG", &file)], None).unwrap();
        (folder, access)
    }

    #[test]
    fn a_plugin_with_a_path_is_one_beside_the_kubeconfig() {
        for (command, expected) in
            [("sh", "sh"), ("./sh", "folder/./sh"), ("bin/sh", "folder/bin/sh"), ("/bin/sh", "/bin/sh")]
        {
            let (command, folder) = (command.to_owned(), PathBuf::from("folder"));
            let plugin = Plugin {
                command,
                folder,
                arguments: vec![],
                environment: vec![],
                version: String::new(),
                cluster: None,
            };
            assert_eq!(plugin.program(), Path::new(expected));
        }
        let plugin = access(
            "{server: \"https://k.example\"}",
            "{exec: {apiVersion: client.authentication.k8s.io/v1, command: ./none}}",
        );
        let said = plugin.unwrap().bearer(None).unwrap_err().to_string();
        assert_eq!(said, "the credential plugin `./none`: it can't be run: entity not found");
    }

    /// Counts its runs in a file, and gives a token with that number.
    fn counting(status: &str) -> String {
        format!(
            "d=$(dirname \"$0\")\necho run >> \"$d/runs\"\nn=$(wc -l < \"$d/runs\" | tr -d ' ')\n\
             printf '{{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{status}}}' \"$n\"\n"
        )
    }

    #[test]
    fn a_plugin_is_run_once_and_again_when_its_token_is_refused_or_over() {
        let (_folder, access) = with_plugin(&counting("{\"token\":\"number-%s\"}"));
        assert_eq!(bearer(&access), "number-1");
        assert_eq!(bearer(&access), "number-1");
        let refused = access.bearer(None).unwrap().unwrap();
        assert_eq!(access.bearer(Some(&refused)).unwrap().unwrap(), Secret::new("number-2"));
        assert_eq!(bearer(&access), "number-2");
        let over = "{\"token\":\"number-%s\",\"expirationTimestamp\":\"2020-01-01T00:00:00Z\"}";
        let (_folder, access) = with_plugin(&counting(over));
        assert_eq!((bearer(&access), bearer(&access)), ("number-1".into(), "number-2".into()));
    }

    #[test]
    fn a_plugin_gets_what_it_is_given_and_no_secret_of_ours() {
        let script = "d=$(dirname \"$0\")\nprintf '%s|%s|%s|%s' \"$1\" \"$2\" \"$STAGE\" \"$KUBERNETES_EXEC_INFO\" > \"$d/given\"\n\
                      env > \"$d/env\"\nprintf '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{\"token\":\"t\"}}'\n";
        let (folder, access) = with_plugin(script);
        access.driver_options().unwrap();
        let given = fs::read_to_string(folder.path().join("given")).unwrap();
        assert!(
            given.starts_with("one|a b|live|{\"apiVersion\":\"client.authentication.k8s.io/v1\""),
            "{given}"
        );
        assert!(given.contains("\"server\":\"https://k.example\""), "{given}");
        let env = fs::read_to_string(folder.path().join("env")).unwrap();
        assert!(!env.lines().any(|line| line.starts_with("HEKATE_")), "{env}");
    }

    #[test]
    fn a_plugin_may_give_a_certificate() {
        let (_folder, access) =
            with_plugin(&counting("{\"clientCertificateData\":\"chain\",\"clientKeyData\":\"key-%s\"}"));
        let identity = access.driver_options().unwrap().tls.identity;
        assert_eq!(identity, Some(ClientIdentity { chain: b"chain".to_vec(), key: Secret::new("key-1") }));
        assert!(access.bearer(None).unwrap().is_none());
    }

    #[test]
    fn a_plugin_that_does_not_do_its_work_is_said_so_without_its_words() {
        for (script, expected) in [
            ("echo hunter2 >&2\nexit 3\n", "it failed (exit status: 3)"),
            ("echo hunter2\n", "its answer is no ExecCredential"),
            ("echo '{\"apiVersion\":\"hunter2\"}'\n", "it answers in another version"),
            (
                "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{}}'\n",
                "neither a token nor",
            ),
            ("head -c 2000000 /dev/zero\n", "it says more than"),
        ] {
            let (_folder, access) = with_plugin(script);
            let said = access.bearer(None).unwrap_err().to_string();
            assert!(said.starts_with("the credential plugin `sh`: ") && said.contains(expected), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn a_plugin_that_does_not_end_is_ended() {
        let (_folder, access) = with_plugin("exec sleep 60\n");
        let Bearer::Plugin { plugin, .. } = &access.bearer else { panic!("it has a plugin") };
        let begun = Instant::now();
        let said = plugin.output(std::time::Duration::from_millis(100)).unwrap_err();
        assert_eq!(said, "it did not end within 0 s");
        assert!(begun.elapsed() < std::time::Duration::from_secs(10));
    }
}
