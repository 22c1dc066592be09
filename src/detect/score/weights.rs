//! The one table of what speaks for and against a value, in tenths of a bit.

/// What a score has to reach, in tenths of a bit.
pub(crate) const THRESHOLD: i32 = 30;
/// From here on a value is believed a little, and shown with `--min-confidence low`.
pub(crate) const LOW: i32 = 10;

/// Tenths of a bit per bit by which random characters explain a value better than words do, and where that ends.
pub(super) const RANDOM_PER_BIT: f32 = 2.5;
pub(super) const MOST_RANDOM: i32 = 60;
pub(super) const LEAST_RANDOM: i32 = -30;
/// The same where the value has what people add to words to make a password.
pub(super) const LEAST_RANDOM_PASSWORD: i32 = -15;

macro_rules! clues {
    ($($name:ident $weight:literal $says:literal,)*) => {
        /// One piece of evidence.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Clue { $(#[doc = $says] $name,)* }

        impl Clue {
            pub(super) const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// What it counts for, in tenths of a bit.
            pub const fn weight(self) -> i32 {
                match self { $(Self::$name => $weight,)* }
            }

            /// What it says, for people.
            pub const fn says(self) -> &'static str {
                match self { $(Self::$name => $says,)* }
            }
        }
    };
}

clues! {
    // The name.
    PasswordName 40 "named a password",
    SecretName 30 "named a secret",
    ApiKeyName 30 "named an API key, or a key of that kind",
    TokenName 20 "named a token",
    CredentialName 10 "named a credential",
    SaltName 5 "named a salt, nonce or seed",
    AuthName -10 "named for authentication",
    HeaderName -10 "named for the Authorization header",
    SignatureName -70 "named a signature",
    KeyName -25 "named a key of no known kind",
    Position 40 "stands where the syntax has a secret",
    OtherName -120 "the name speaks of something else",
    AboutName -110 "the name speaks about a secret (its type, path, length, id …)",
    TurnedName -130 "the name is of a public or passing value (csrf, page, public, is, max …)",
    ActionName -25 "the name speaks of doing something with a secret, or of a wrong one",
    // The syntax.
    Quoted 10 "a quoted literal",
    Element 5 "the text of an element",
    Bare 0 "unquoted",
    Spaced -15 "unquoted, blanks around the sign before it",
    Code -45 "unquoted in what looks like code",
    Wrapped -10 "handed to a function, or in a list",
    Fetched -130 "the argument of what looks values up",
    Apart -25 "only a blank before it",
    Running -60 "the first word of a text",
    Compared -10 "compared with, or a fallback",
    Reference -250 "refers to a value elsewhere",
    Call -250 "a call, an index or an expression",
    Interpolated -250 "put together at run time",
    Directive -120 "a format directive",
    Attribute -120 "an attribute of something",
    // The value.
    Tiny -50 "fewer than five characters",
    Short -20 "five characters",
    Brief -8 "six or seven characters",
    Long 10 "sixteen characters or more",
    Endless -250 "longer than passwords and keys are",
    Letters -25 "letters only",
    Digits -40 "digits only",
    Number 2 "a password of digits",
    Constant -60 "a number",
    Mixed 15 "letters and digits",
    Symbols 22 "letters, digits or both, and symbols as in passwords",
    Title -12 "one word with a capital",
    Foreign -15 "characters beyond ASCII",
    ForeignText -200 "text in another language's letters",
    AllWords -60 "all common words",
    MostWords -25 "mostly common words",
    WordsNumbers -30 "words and small numbers",
    Joined -30 "letters joined by dashes, as names are",
    ConstantName -45 "capitals joined by underscores, as names of variables are",
    Escapes -80 "text with line ends written out",
    Identifier -45 "an identifier, unquoted",
    Echo -90 "says its own name again",
    StandIn -250 "made of words that stand in for a secret",
    Filler -250 "one character over and over, or characters in their order",
    Bracketed -250 "a placeholder in brackets",
    Ellipsis -150 "cut short",
    Prose -80 "several words of text",
    Blank -40 "has blanks",
    Path -90 "a path",
    Fields -120 "names with values of their own",
    Fragment -60 "a piece of code",
    SecretsName -40 "the name of a secret",
    Url -120 "a URL",
    Mail -70 "a mail address",
    Host -70 "a host name",
    Version -90 "a version or a range of versions",
    Date -90 "a date or a time",
    Uuid -75 "a UUID",
    Markup -120 "markup or style",
    Pattern -120 "a pattern or a rule of validation",
    StoredHash -160 "a stored hash of a password",
    Decoded -250 "a stand-in, in base64",
    Encrypted -160 "encrypted",
    PublicKey -160 "a public key or certificate",
    Dictionary -40 "one common word and little else",
    // What stands around it.
    HashNear -50 "a hash or id is spoken of on its line",
    ExampleNear -25 "an example is spoken of on its line",
    CommentNear -5 "in a comment",
}
