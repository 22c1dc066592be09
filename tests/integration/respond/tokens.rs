//! Credentials of the manager: seen for what they are, taken out of service, and followed by new ones.

use hekate::{
    inventory::InfisicalIdentity,
    model::Secret,
    net::{Answer, Failure, Request, Send},
    respond::target::{Accepts, Act, Birth, ManagerCredential, Shape, Target, Trouble, Values},
    store::{CredentialError, Infisical, InfisicalOptions, Store, Tokens},
};
use serde_json::json;

use crate::infisical::{
    http::{PlainSender, Reply},
    server::Server,
    world::{Owner, Rights},
};

/// What a test works with: a server, an identity on it, and its client secret.
struct World {
    server: Server,
    identity: InfisicalIdentity,
    secret: Secret,
}

fn admin() -> Rights {
    Rights { is_admin: true, ..Rights::all() }
}

impl World {
    fn new() -> Self {
        let server = Server::start();
        let (client_id, secret) = server.world().identity("ci", Rights::viewer());
        let identity_id = server.world().identities[0].id.clone();
        let identity = InfisicalIdentity { identity_id, client_id: Some(client_id) };
        Self { server, identity, secret: Secret::new(secret) }
    }

    fn options(&self, rights: Rights, user: Option<&str>) -> InfisicalOptions {
        let (id, secret) = self.server.world().identity("responder", rights);
        let lookup = |name: &str| match name {
            "HEKATE_INFISICAL_URL" => Some(self.server.url()),
            "HEKATE_INFISICAL_PROJECT" => Some("kosmos".to_owned()),
            "HEKATE_INFISICAL_CLIENT_ID" => Some(id.clone()),
            "HEKATE_INFISICAL_CLIENT_SECRET" => Some(secret.clone()),
            "HEKATE_INFISICAL_USER_TOKEN" => user.map(str::to_owned),
            _ => None,
        };
        InfisicalOptions::from_env(lookup, None).expect("the variables are right")
    }

    fn tokens(&self, rights: Rights) -> Tokens {
        Tokens::new(self.options(rights, None), Box::new(PlainSender))
    }

    fn tokens_of_user(&self) -> Tokens {
        let user = self.server.world().user_token();
        Tokens::new(self.options(Rights::viewer(), Some(&user)), Box::new(PlainSender))
    }

    /// An access token of the identity, from its client secret.
    fn access_token(&self) -> Secret {
        let mut world = self.server.world();
        let identity = world.identities[0].clone();
        let secret = identity.client_secrets[0].id.clone();
        Secret::new(world.access_token(Owner::Identity(identity.id), Some(secret)).value)
    }

    fn service_token(&self) -> Secret {
        Secret::new(self.server.world().service_token(&[("production", "/infrastructure")], &["read"]))
    }

    fn credential<'a>(&'a self, tokens: &'a Tokens, value: &Secret) -> ManagerCredential<'a> {
        ManagerCredential::new(tokens, Shape::of(value).expect("a credential"), Some(&self.identity), None)
    }

    /// Values of the identity's client secrets that are not revoked.
    fn alive(&self) -> Vec<Secret> {
        let world = self.server.world();
        let secrets = world.identities[0].client_secrets.iter().filter(|secret| !secret.is_revoked);
        secrets.map(|secret| Secret::new(secret.value.as_str())).collect()
    }
}

fn values<'a>(old: &'a Secret, new: Option<&'a Secret>) -> Values<'a> {
    Values { old, new, incident: "INC-7" }
}

fn why(accepts: Accepts) -> String {
    match accepts {
        Accepts::Unknown(why) => why,
        other => panic!("not unknown but {other:?}"),
    }
}

#[test]
fn credentials_are_told_by_their_looks() {
    let world = World::new();
    let service = world.service_token();
    let fourth = Secret::new([service.expose(), b".", "f".repeat(32).as_bytes()].concat());
    let user = Secret::new(world.server.world().user_token());
    assert!(matches!(Shape::of(&service), Some(Shape::ServiceToken { id }) if id.len() == 36));
    assert_eq!(Shape::of(&fourth), Shape::of(&service));
    assert_eq!(Shape::of(&world.access_token()), Some(Shape::AccessToken));
    assert_eq!(Shape::of(&user), Some(Shape::UserToken));
    assert_eq!(Shape::of(&world.secret), Some(Shape::ClientSecret));
    for none in ["", "st.", "st.a", "st..b", "st.a.b/../c", "a.b.c", "hunter2", &"g".repeat(64)] {
        assert_eq!(Shape::of(&Secret::new(none)), None, "{none}");
    }
}

#[test]
fn an_access_token_revokes_itself_and_nothing_follows_it() {
    let world = World::new();
    let (tokens, token) = (world.tokens(Rights::viewer()), world.access_token());
    let target = world.credential(&tokens, &token);
    assert_eq!(target.birth(), Birth::None);
    assert_eq!(target.accepts(&token), Accepts::Yes);
    for act in [Act::Check, Act::Contain, Act::Retire, Act::Retire, Act::EndSessions] {
        assert_eq!(target.perform(act, &values(&token, None)), Ok(()));
    }
    assert_eq!(target.accepts(&token), Accepts::No);
    let revocations = world.server.received_at("POST /api/v1/auth/token/revoke");
    assert_eq!(revocations[0].header("authorization"), None);
    assert!(world.server.received_at("POST /api/v1/auth/universal-auth/login").is_empty());
}

#[test]
fn a_token_that_died_another_way_counts_as_revoked() {
    let world = World::new();
    let (tokens, token) = (world.tokens(Rights::viewer()), world.access_token());
    let target = world.credential(&tokens, &token);
    world.server.world().tokens.iter_mut().for_each(|token| token.is_expired = true);
    assert_eq!(target.accepts(&token), Accepts::No);
    for (status, error, message) in [
        (401, "UnauthorizedError", "Failed to authorize: token has been revoked"),
        (403, "TokenError", "Your token has expired. Please re-authenticate."),
    ] {
        let body = json!({"reqId": "req-1", "statusCode": status, "message": message, "error": error});
        world.server.answer_instead("POST /api/v1/auth/token/revoke", Reply::json(status, &body));
        assert_eq!(target.perform(Act::Retire, &values(&token, None)), Ok(()));
    }
}

#[test]
fn a_token_of_another_server_is_not_said_to_be_dead() {
    let (world, other) = (World::new(), World::new());
    // Both servers make the same tokens, of the same seed.
    drop(other.access_token());
    let (tokens, token) = (world.tokens(Rights::viewer()), other.access_token());
    let target = world.credential(&tokens, &token);
    assert!(why(target.accepts(&token)).contains("made by another server"));
    let outcome = target.perform(Act::Retire, &values(&token, None));
    assert!(matches!(outcome, Err(Trouble::Refused(why)) if why.contains("made by another server")));
}

#[test]
fn a_service_token_is_deleted_by_a_user() {
    let world = World::new();
    let (tokens, token) = (world.tokens_of_user(), world.service_token());
    let target = world.credential(&tokens, &token);
    assert!(matches!(target.birth(), Birth::Person { page: Some(page), .. } if page == world.server.url()));
    assert_eq!(target.accepts(&token), Accepts::Yes);
    assert_eq!(target.perform(Act::Check, &values(&token, None)), Ok(()));
    let [listed] = &tokens.service_tokens().expect("a user may list them")[..] else {
        panic!("one is there")
    };
    assert_eq!(listed.scopes, [("production".to_owned(), "/infrastructure".to_owned())]);
    for _ in 0..2 {
        assert_eq!(target.perform(Act::Retire, &values(&token, None)), Ok(()));
        assert_eq!(target.accepts(&token), Accepts::No);
    }
    assert!(world.server.world().service_tokens.is_empty());
}

#[test]
fn a_service_token_is_a_persons_matter_without_a_user() {
    let world = World::new();
    let (tokens, token) = (world.tokens(admin()), world.service_token());
    let target = world.credential(&tokens, &token);
    for act in [Act::Check, Act::Contain, Act::Retire] {
        let Err(Trouble::Person(lines)) = target.perform(act, &values(&token, None)) else {
            panic!("a person has to do it")
        };
        assert!(lines[0].contains("HEKATE_INFISICAL_USER_TOKEN"), "{lines:?}");
        assert!(!lines[0].contains(&String::from_utf8_lossy(&token.expose()[40..]).into_owned()));
    }
    assert_eq!(target.accepts(&token), Accepts::Yes);
    assert_eq!(world.server.world().service_tokens.len(), 1);
}

#[test]
fn a_service_token_with_a_wrong_secret_is_not_accepted() {
    let world = World::new();
    let (tokens, token) = (world.tokens(Rights::viewer()), world.service_token());
    let wrong = Secret::new([&token.expose()[..41], "0".repeat(32).as_bytes()].concat());
    let target = world.credential(&tokens, &token);
    assert_eq!(target.accepts(&wrong), Accepts::No);
    // The fourth part is nothing that the server knows.
    let long = Secret::new([token.expose(), b".", "f".repeat(32).as_bytes()].concat());
    assert_eq!(target.accepts(&long), Accepts::Yes);
}

#[test]
fn an_expired_user_is_not_taken_for_a_token_that_is_gone() {
    let world = World::new();
    let (tokens, token) = (world.tokens_of_user(), world.service_token());
    world.server.world().tokens.iter_mut().for_each(|token| token.is_expired = true);
    let target = world.credential(&tokens, &token);
    let outcome = target.perform(Act::Retire, &values(&token, None));
    assert!(matches!(outcome, Err(Trouble::Refused(why)) if why.contains("has expired")));
    assert_eq!(target.accepts(&token), Accepts::Yes);
}

#[test]
fn client_secrets_are_valid_side_by_side_until_the_old_one_is_revoked() {
    let world = World::new();
    for tokens in [world.tokens(admin()), world.tokens_of_user()] {
        let old = world.alive()[0].clone();
        let target = world.credential(&tokens, &old);
        assert_eq!((target.birth(), target.overlaps()), (Birth::Issued, true));
        assert_eq!(target.perform(Act::Check, &values(&old, None)), Ok(()));
        let new = target.issue(&values(&old, None)).expect("it is made");
        assert_eq!(world.alive(), [old.clone(), new.clone()]);
        assert_eq!((target.accepts(&old), target.accepts(&new)), (Accepts::Yes, Accepts::Yes));
        for _ in 0..2 {
            assert_eq!(target.perform(Act::Retire, &values(&old, Some(&new))), Ok(()));
            assert_eq!(world.alive(), std::slice::from_ref(&new));
        }
        assert_eq!((target.accepts(&old), target.accepts(&new)), (Accepts::No, Accepts::Yes));
    }
}

#[test]
fn tokens_of_a_revoked_client_secret_die_with_it() {
    let world = World::new();
    let (tokens, token) = (world.tokens(admin()), world.access_token());
    let target = world.credential(&tokens, &world.secret);
    assert_eq!(tokens.is_access_token_live(&token), Ok(true));
    assert_eq!(target.perform(Act::Contain, &values(&world.secret, None)), Ok(()));
    assert_eq!(tokens.is_access_token_live(&token), Ok(false));
}

#[test]
fn nobody_logs_in_with_a_client_secret_that_is_asked_about() {
    let world = World::new();
    let tokens = world.tokens(admin());
    let target = world.credential(&tokens, &world.secret);
    let wrong = Secret::new("0".repeat(64));
    for _ in 0..5 {
        assert_eq!(target.accepts(&wrong), Accepts::No);
        assert_eq!(target.accepts(&world.secret), Accepts::Yes);
    }
    // One is our own.
    assert_eq!(world.server.received_at("POST /api/v1/auth/universal-auth/login").len(), 1);
    assert_eq!(world.server.world().identities[0].wrong_logins, 0);
}

#[test]
fn one_that_was_lost_in_a_crash_is_taken_back() {
    let world = World::new();
    let tokens = world.tokens(admin());
    let target = world.credential(&tokens, &world.secret);
    let lost = target.issue(&values(&world.secret, None)).expect("it is made");
    let new = target.issue(&values(&world.secret, None)).expect("it is made again");
    assert_eq!(world.alive(), [world.secret.clone(), new.clone()]);
    assert_eq!(target.accepts(&lost), Accepts::No);
    let description = world.server.world().identities[0].client_secrets[2].description.clone();
    assert!(description.starts_with("hekate-INC-7 "), "{description}");
    // Another incident's is none of its business.
    let other = Values { old: &world.secret, new: None, incident: "INC-70" };
    target.issue(&other).expect("it is made");
    assert_eq!(world.alive().len(), 3);
    // With the value, or without it.
    assert_eq!(target.perform(Act::Withdraw, &values(&world.secret, Some(&new))), Ok(()));
    assert_eq!(target.perform(Act::Withdraw, &other), Ok(()));
    assert_eq!(world.alive(), std::slice::from_ref(&world.secret));
}

#[test]
fn of_several_that_begin_alike_none_is_revoked() {
    let world = World::new();
    let twin = world.server.world().client_secret(0, "the other").value;
    let twin = format!("{}{}", String::from_utf8_lossy(&world.secret.expose()[..4]), &twin[4..]);
    world.server.world().identities[0].client_secrets[1].value = twin;
    let tokens = world.tokens(admin());
    let target = world.credential(&tokens, &world.secret);
    assert!(why(target.accepts(&world.secret)).contains("begin alike"));
    let outcome = target.perform(Act::Retire, &values(&world.secret, None));
    assert!(
        matches!(outcome, Err(Trouble::Person(lines)) if lines.len() == 2 && lines[1].contains("the other"))
    );
    assert_eq!(world.alive().len(), 2);
}

#[test]
fn without_rights_on_the_identity_nothing_is_known_and_nothing_changes() {
    let world = World::new();
    let tokens = world.tokens(Rights::viewer());
    let target = world.credential(&tokens, &world.secret);
    assert!(why(target.accepts(&world.secret)).contains("no permission for"));
    let refused =
        |outcome| matches!(outcome, Err(Trouble::Refused(why)) if why.contains("no permission for"));
    assert!(refused(target.perform(Act::Check, &values(&world.secret, None))));
    assert!(refused(target.perform(Act::Retire, &values(&world.secret, None))));
    assert!(refused(target.issue(&values(&world.secret, None)).map(drop)));
    let target = ManagerCredential::new(&tokens, Shape::ClientSecret, None, None);
    assert!(why(target.accepts(&world.secret)).contains("`type: infisical-identity`"));
}

#[test]
fn another_identitys_client_secret_is_noticed_before_anything_is_made() {
    let world = World::new();
    let tokens = world.tokens(admin());
    let identity_id = world.server.world().identities[1].id.clone();
    let other = InfisicalIdentity { identity_id, client_id: None };
    let target = ManagerCredential::new(&tokens, Shape::ClientSecret, Some(&other), None);
    let outcome = target.perform(Act::Check, &values(&world.secret, None));
    assert!(matches!(outcome, Err(Trouble::Refused(why)) if why.contains("another identity's")));
}

/// Loses the answer to the first request that changes something.
struct Losing(std::sync::atomic::AtomicBool);

impl Send for Losing {
    fn send(&self, request: &Request) -> Result<Answer, Failure> {
        let answer = PlainSender.send(request);
        let is_login = request.path.redacted().ends_with("/login");
        if request.is_safe || is_login || self.0.swap(true, std::sync::atomic::Ordering::SeqCst) {
            return answer;
        }
        Err(Failure::Timeout { host: "host".into() })
    }
}

#[test]
fn a_lost_answer_is_unclear_and_doing_it_again_ends_well() {
    let world = World::new();
    let losing = || Box::new(Losing(false.into()));
    let tokens = Tokens::new(world.options(admin(), None), losing());
    let target = world.credential(&tokens, &world.secret);
    assert!(matches!(target.issue(&values(&world.secret, None)), Err(Trouble::Unclear(_))));
    let new = target.issue(&values(&world.secret, None)).expect("it is made");
    assert_eq!(world.alive(), [world.secret.clone(), new]);
    let tokens = Tokens::new(world.options(admin(), None), losing());
    let target = world.credential(&tokens, &world.secret);
    let again = [(); 2].map(|()| target.perform(Act::Retire, &values(&world.secret, None)));
    assert!(matches!(&again, [Err(Trouble::Unclear(_)), Ok(())]), "{again:?}");
    assert_eq!(target.accepts(&world.secret), Accepts::No);
}

#[test]
fn servers_that_fail_are_told_from_servers_that_refuse() {
    let world = World::new();
    let (tokens, token) = (world.tokens(Rights::viewer()), world.access_token());
    let target = world.credential(&tokens, &token);
    let refusal = |status: u16| {
        Reply::json(status, &json!({"reqId": "req-1", "statusCode": status, "message": "x", "error": "y"}))
    };
    for (reply, is_unclear) in [
        (refusal(429), false),
        (refusal(403), false),
        (refusal(500), true),
        (Reply::html(502), true),
        (Reply::html(403), false),
        (Reply::html(200), true),
    ] {
        let status = reply.status;
        world.server.answer_instead("POST /api/v1/auth/token/revoke", reply.clone());
        let trouble = target.perform(Act::Retire, &values(&token, None)).expect_err("it failed");
        assert_eq!(matches!(trouble, Trouble::Unclear(_)), is_unclear, "{status}: {trouble}");
        assert!(!trouble.to_string().contains(&String::from_utf8_lossy(token.expose()).into_owned()));
        world.server.answer_instead("GET /api/v1/identities/details", reply);
        why(target.accepts(&token));
    }
    assert_eq!(target.accepts(&token), Accepts::Yes);
}

#[test]
fn a_used_up_or_expired_client_secret_is_not_accepted() {
    let world = World::new();
    let tokens = world.tokens(admin());
    let target = world.credential(&tokens, &world.secret);
    let prefix = String::from_utf8_lossy(&world.secret.expose()[..4]).into_owned();
    let path = format!("GET /api/v1/auth/universal-auth/identities/{}", world.identity.identity_id);
    for (more, accepts) in [
        (json!({"clientSecretNumUses": 3, "clientSecretNumUsesLimit": 3}), Accepts::No),
        (json!({"clientSecretNumUses": 2, "clientSecretNumUsesLimit": 3}), Accepts::Yes),
        (json!({"clientSecretTTL": 60, "createdAt": "2020-01-01T00:00:00.000Z"}), Accepts::No),
        (json!({"clientSecretTTL": 0, "createdAt": "2020-01-01T00:00:00.000Z"}), Accepts::Yes),
        (json!({"clientSecretTTL": u64::MAX, "createdAt": "2020-01-01T00:00:00.000Z"}), Accepts::Yes),
        (json!({"isClientSecretRevoked": true}), Accepts::No),
    ] {
        let mut row = json!({"id": "1", "clientSecretPrefix": prefix});
        row.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        world.server.answer_instead(&path, Reply::json(200, &json!({"clientSecretData": [row]})));
        assert_eq!(target.accepts(&world.secret), accepts, "{more}");
    }
}

#[test]
fn a_token_of_token_auth_is_revoked_by_its_id() {
    let world = World::new();
    let identity = world.identity.identity_id.clone();
    let token = world.server.world().access_token(Owner::Identity(identity), None);
    let value = Secret::new(token.value);
    let tokens = world.tokens(admin());
    assert_eq!(tokens.is_access_token_live(&value), Ok(true));
    for _ in 0..2 {
        assert_eq!(tokens.revoke_token_of_token_auth(&token.id), Ok(()));
    }
    assert_eq!(tokens.revoke_token_of_token_auth("gone"), Ok(()));
    assert_eq!(tokens.is_access_token_live(&value), Ok(false));
    let refused = world.tokens(Rights::viewer()).revoke_token_of_token_auth(&token.id);
    assert!(matches!(refused, Err(CredentialError::Refused(_))));
}

#[test]
fn who_rotates_its_own_client_secret_cuts_itself_off_last() {
    let world = World::new();
    let options = world.options(admin(), None);
    let identity_id = world.server.world().identities[1].id.clone();
    let own = InfisicalIdentity { identity_id, client_id: None };
    let hekate::store::Login::Universal { client_secret: old, .. } = options.login.clone() else {
        panic!("it is")
    };
    let tokens = Tokens::new(options.clone(), Box::new(PlainSender));
    let target = ManagerCredential::new(&tokens, Shape::ClientSecret, Some(&own), None);
    target.issue(&values(&old, None)).expect("it is made");
    assert_eq!(target.perform(Act::Retire, &values(&old, None)), Ok(()));
    let store = Infisical::new(options, Box::new(PlainSender));
    assert!(store.environments().expect_err("it is revoked").to_string().contains("client secret is wrong"));
}
