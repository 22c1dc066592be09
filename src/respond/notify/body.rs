//! What each service takes as a message.

use hmac::{Hmac, Mac};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;

use super::Message;
use crate::model::Secret;

/// Slack's incoming webhooks (<https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>): what it would read as a link or a
/// mention is escaped, as <https://docs.slack.dev/messaging/formatting-message-text> has it.
pub(super) fn slack(message: &Message) -> Value {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let lines: Vec<String> = message.lines().iter().map(|line| escape(line)).collect();
    json!({ "text": format!("*{}*\n{}", escape(&message.title()), lines.join("\n")) })
}

/// Webhooks of Teams' workflows: an Adaptive Card (<https://adaptivecards.io/explorer/RichTextBlock.html>). Text runs know no Markdown, so nothing
/// in a message becomes a link.
pub(super) fn teams(message: &Message) -> Value {
    let block = |text: &str, weight: &str| json!({ "type": "RichTextBlock", "inlines": [{ "type": "TextRun", "text": text, "weight": weight }] });
    let mut blocks = vec![block(&message.title(), "bolder")];
    blocks.extend(message.lines().iter().map(|line| block(line, "default")));
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": blocks,
            },
        }],
    })
}

/// `t=SECONDS;HEX`: HMAC-SHA-256 under the secret over `SECONDS.BODY`, so that whoever gets a message knows from whom it is, and how old.
pub(super) fn signature(secret: &Secret, now: Timestamp, body: &str) -> String {
    let seconds = now.as_second();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose()).expect("HMAC takes a key of any length");
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body.as_bytes());
    let digest: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds};{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        Message::new("INC-7", "contained")
            .about("production", Some("/infrastructure/POSTGRES_PASSWORD"))
            .line("<!channel> [a link](https://evil.example) & more\u{1b}[2J")
            .at("2026-11-26T20:43:49Z".parse().unwrap())
    }

    #[test]
    fn slack_reads_no_mention_in_a_message() {
        insta::assert_snapshot!(slack(&message())["text"].as_str().unwrap(), @r"
        *hekate: incident INC-7 is contained*
        production:/infrastructure/POSTGRES_PASSWORD
        &lt;!channel&gt; [a link](https://evil.example) &amp; more\x1b[2J
        2026-11-26T20:43:49Z
        ");
    }

    #[test]
    fn teams_gets_a_card_of_plain_text_runs() {
        let card = teams(&message());
        let content = &card["attachments"][0]["content"];
        assert_eq!((&card["type"], &content["type"]), (&json!("message"), &json!("AdaptiveCard")));
        let texts: Vec<&str> = content["body"]
            .as_array()
            .unwrap()
            .iter()
            .map(|block| block["inlines"][0]["text"].as_str().unwrap())
            .collect();
        assert_eq!(texts[0], "hekate: incident INC-7 is contained");
        assert_eq!(texts.len(), 4);
        assert!(content["body"].as_array().unwrap().iter().all(|block| block["type"] == "RichTextBlock"));
    }

    /// By `printf '1764189829.{}' | openssl dgst -sha256 -hmac key`.
    #[test]
    fn a_signature_is_over_time_and_body() {
        let now = Timestamp::from_second(1_764_189_829).unwrap();
        let text = signature(&Secret::new("key"), now, "{}");
        assert_eq!(text, "t=1764189829;497e5d7058fdd8aeede462ebcc6be0adc41d1cacecb2b9f4ffdf154bb4780df8");
        assert_ne!(signature(&Secret::new("key"), now, "{ }"), text);
    }

    #[test]
    fn a_message_says_when_it_is_cut() {
        let long =
            (0..100).fold(Message::new("INC-1", "open"), |message, number| message.line(&number.to_string()));
        assert_eq!(long.summary.len(), 40);
        assert!(long.summary[39].contains("and more"));
    }
}
