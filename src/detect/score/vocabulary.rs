//! Words: of names that say what a value is, and of values that only stand in for one.

use std::{collections::HashSet, sync::LazyLock};

use aho_corasick::AhoCorasick;

use super::weights::Clue;

/// Words that mark a value as a stand-in wherever they are in it: long enough not to turn up in random values by chance.
const STAND_IN_PARTS: &str = "\
    example sample placeholder changeme change_me change-me changethis change_this change-this replaceme replace_me
    replace-me replace_with replace-with redacted insert_ insert- insertyour dummy foobar your_ your- yourtoken
    yourkey yourapi yoursecret yourpass not_a_secret not-a-secret notasecret notreal not-real not_real _here -here>
    goeshere todo_ fixme xxxxx ***** ..... deadbeef 0123456789 1234567890 abcdefghij qwertyuiop fake_ fake- fakekey
    faketoken fakesecret";

/// Words in lower case.
pub(super) type Words = HashSet<&'static [u8]>;

fn set(words: &'static str) -> Words {
    words.split_ascii_whitespace().map(str::as_bytes).collect()
}

/// Whether the word, in whatever case, is in the set.
pub(super) fn is_among(word: &[u8], set: &Words) -> bool {
    let mut lower = [0_u8; 24];
    let Some(place) = lower.get_mut(..word.len()) else { return false };
    place.copy_from_slice(word);
    place.make_ascii_lowercase();
    set.contains(&*place)
}

static PARTS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(STAND_IN_PARTS.split_ascii_whitespace())
        .expect("a short list of plain words")
});

/// Whether a value has a part that no secret has.
pub(in crate::detect) fn holds_stand_in(value: &[u8]) -> bool {
    PARTS.is_match(value)
}

/// Words of which placeholders, defaults of tests and labels are made. A value of nothing else (and of numbers that count) is no secret.
pub(super) const STAND_INS: &str = "\
    a abc abcd abcdef access account actual admin administrator an and another any anything api app application
    ascii asdf auth authentication authorization aws azure bad bar basic baz bearer blah bogus bot change changed
    changeit changeme client code confirm confirmation correct credential credentials current custom data database
    db default demo dev developer development different disabled dummy email empty encrypted encryption enter env
    example existing expected expired fake false field first foo foobar for forgot from generated github gitlab
    given goes google guest hash hello here hidden host hunter id in incorrect input insecure insert invalid is iso
    it jane john jwt key keycloak kube latin letmein local localhost login long mail manager me minio mock mocked
    mongo mongodb must my mysql name new nil no none not null oauth of old omitted only optional oracle original
    other our owner pass passcode passphrase passw passwd password passwords passwort phrase placeholder please
    postgres postgresql private prod production project provided public put pw pwd qwe qwer qwerty rabbit rabbitmq
    random real realm redacted redis refresh removed repeat replace required reset right role root safe salt same
    sample scott second secret secrets secure security seed server service session set shared should signing simple
    slack some something special staging string strong stuff super supersecret system temp temporary test tester
    testing tests text that the this tiger tmp to todo token tokens top true type undefined unknown unset unused
    update use user username users valid value variable verification verify very weak welcome with word world wrong
    xxx xyz yes you your yours zzz";

/// Words that turn a name around when they stand behind the word that speaks of a secret: what it names is about one, and not one.
pub(super) static ABOUT: LazyLock<Words> = LazyLock::new(|| {
    set("\
    env action address alg algorithm alias allowed annotation append arn attempts attribute audience bind bucket bytes
    callback category charat chars charset check checker checksum class cls color command component concat confirmed
    contains controller count created date days decode decoder deleted desc description digest dir directory
    disabled doc docs dto duration enabled encode encoder encoding endpoint endswith engine entity error errors
    event exception exists expiration expire expired expires expiry extractor factory family field fields file
    filename files filter find fingerprint folder form format function generator getbytes handler has hash hashed
    hasher header help helper hint host html icon id identifier ids idx image includes index indexof info input
    instanceof interceptor interface interval issuer item iterations ized izer join kind label lang language len
    length level lifespan lifetime limit link list loader locale location logger lookup manager map mapper mapping
    match matches max maximum message meta metadata method min minimum missing mode model module mount msg name
    named names namespace object ok op operation option options page pairs panel param parameter params parser path
    paths pattern per permission placeholder policies policy pos position prefix prompt property props query
    recovery ref reference refs regex regexp replace request required requirements requires reset resolver resource
    response result rfind role route router rule rules schema scope scopes score screen section select selector sent
    serializer size slice sort source spec split startswith state status store strategy strength strip style
    substring suffix supplier table tag template text throttle time timeout timestamp title tmpl to tolowercase
    tooltip trim ttl type typeof types unit unset updated uri url urls usage used username validation validator
    validity var variable verifier version view widget width window xpath")
});

/// Words that turn a name around when they stand before the word that speaks of a secret.
pub(super) static TURNED: LazyLock<Words> = LazyLock::new(|| {
    set("\
    allow authenticity can cancellation continuation csrf csrfmiddleware disable display enable forget forgot
    forgotten has hash hashed hide idempotency is lost max md md5 min needs next num page pagination pub
    public recover require requires sha1 sha256 show toggle total without xsrf")
});

/// Words before the word that speaks of a secret which make it less likely that there is one: what is done with it, what it is in a test.
pub(super) static ACTIONS: LazyLock<Words> = LazyLock::new(|| {
    set("\
    check expect expected invalid missing reset use uses validate verify wrong")
});

/// What a key opens, before the word `key`: a secret.
pub(super) static KEY_KINDS: LazyLock<Words> = LazyLock::new(|| {
    set("\
    access account admin aes api app application auth authentication cipher client consumer cookie crypt crypto data
    decryption deploy des developer enc encrypt encryption hash hmac host integration jwt licence license maps
    master oauth priv private read rest rsa secret security server service session shared sign signature signing ssh
    stream subscription webhook write")
});

/// Words that say what a name's value is: of the last of them that is in the name, the clue counts.
pub(super) const SPEAKING: &[(&str, Clue)] = &[
    ("password", Clue::PasswordName),
    ("passwd", Clue::PasswordName),
    ("passwort", Clue::PasswordName),
    ("passphrase", Clue::PasswordName),
    ("passcode", Clue::PasswordName),
    ("passwrd", Clue::PasswordName),
    ("passw", Clue::PasswordName),
    ("pwd", Clue::PasswordName),
    ("pswd", Clue::PasswordName),
    ("psw", Clue::PasswordName),
    ("pass", Clue::PasswordName),
    ("pw", Clue::PasswordName),
    ("secret", Clue::SecretName),
    ("token", Clue::TokenName),
    ("tokens", Clue::TokenName),
    ("secrets", Clue::SecretName),
    ("passwords", Clue::PasswordName),
    ("credential", Clue::CredentialName),
    ("credentials", Clue::CredentialName),
    ("cred", Clue::CredentialName),
    ("creds", Clue::CredentialName),
    ("apikey", Clue::ApiKeyName),
    ("key", Clue::KeyName),
    ("keys", Clue::KeyName),
    ("auth", Clue::AuthName),
    ("authorization", Clue::HeaderName),
    ("authentication", Clue::AuthName),
    ("salt", Clue::SaltName),
    ("nonce", Clue::SaltName),
    ("seed", Clue::SaltName),
    ("pat", Clue::TokenName),
    ("pin", Clue::AuthName),
    ("signature", Clue::SignatureName),
];

/// Words that end like one that speaks of a secret, and mean something else.
pub(super) static OTHERS: LazyLock<Words> = LazyLock::new(|| {
    set("\
    asphalt basalt bypass cachekey cobalt compass donkey encompass foreignkey hockey hotkey jockey keycloak monkey
    multipass onkey overpass primarykey pubkey publickey secretary sortkey surpass tokenize tokenized tokenizer
    trespass turkey underpass whiskey")
});

/// Words of functions that look a value up by the name they are given.
pub(super) static LOOKUPS: LazyLock<Words> = LazyLock::new(|| {
    set("\
    arg attr by column config cookie element env fetch field file find flag form get getattr getenv
    getparameter getproperty getstring gettext header i i18n import input label lazy load lookup message
    option param path prompt prop property props query read ref request require resolve resource select
    session setting t text trans translate")
});

/// What names of files end in.
pub(super) static FILE_ENDS: LazyLock<Words> = LazyLock::new(|| {
    set("\
    asc cer cfg conf crt cs css csv db dll env exe gif go gpg gz htm html ini j2 java jinja2 jks jpg js json
    jsx key keystore lock log md p12 password pem pfx php png properties proto pub py rb rs scss secret sh so
    sql svg tar token toml tpl ts tsx txt vue xml yaml yml zip")
});
