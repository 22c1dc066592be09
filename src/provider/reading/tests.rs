//! Answers as the services give them, less what nobody looks at.

use super::*;
use crate::{model::Secret, provider::check_of};

/// Rule, status, headers, body, verdict; `unknown` stands for any unknown one.
type Case = (&'static str, u16, &'static [(&'static str, &'static str)], &'static str, &'static str);

const GITHUB: &[(&str, &str)] =
    &[("x-github-request-id", "C0FE:1234"), ("x-oauth-scopes", "repo, workflow"), ("server", "github.com")];
const AWS: &[(&str, &str)] = &[("x-amzn-requestid", "01234567-89ab"), ("content-type", "text/xml")];
const AZURE: &[(&str, &str)] = &[("x-ms-request-id", "0123"), ("server", "Windows-Azure-Blob/1.0")];
const NONE: &[(&str, &str)] = &[];

const CASES: &[Case] = &[
    (
        "huggingface-access-token",
        200,
        NONE,
        r#"{"type":"user","id":"1","name":"kosmos","auth":{"type":"access_token","accessToken":{"displayName":"ci","role":"read"}}}"#,
        "active",
    ),
    (
        "huggingface-access-token",
        401,
        NONE,
        r#"{"error":"Invalid credentials in Authorization header"}"#,
        "inactive",
    ),
    ("huggingface-access-token", 401, NONE, r#"{"error":"User Access Token \"ci\" is expired"}"#, "inactive"),
    ("huggingface-access-token", 401, NONE, r#"{"error":"Log in to the proxy"}"#, "unknown"),
    ("openai-api-key", 200, NONE, r#"{"object":"list","data":[{"id":"gpt-4o","object":"model"}]}"#, "active"),
    (
        "openai-api-key",
        401,
        NONE,
        r#"{"error":{"message":"Incorrect API key provided: sk-********.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#,
        "inactive",
    ),
    (
        "openai-api-key",
        401,
        NONE,
        r#"{"error":{"message":"Your IP address is not on the allowlist","type":"invalid_request_error","code":"ip_not_authorized"}}"#,
        "unknown",
    ),
    (
        "openai-api-key",
        403,
        NONE,
        r#"{"error":{"message":"You have insufficient permissions for this operation. Missing scopes: api.model.read","type":"invalid_request_error","param":null,"code":null}}"#,
        "restricted",
    ),
    (
        "openai-api-key",
        403,
        NONE,
        r#"{"error":{"code":"unsupported_country_region_territory","message":"Country, region, or territory not supported","param":null,"type":"request_forbidden"}}"#,
        "unknown",
    ),
    (
        "openai-api-key",
        429,
        NONE,
        r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#,
        "active",
    ),
    (
        "openai-api-key",
        429,
        NONE,
        r#"{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}"#,
        "unknown",
    ),
    (
        "anthropic-api-key",
        200,
        NONE,
        r#"{"data":[],"has_more":false,"first_id":null,"last_id":null}"#,
        "active",
    ),
    (
        "anthropic-api-key",
        401,
        NONE,
        r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#,
        "inactive",
    ),
    (
        "anthropic-api-key",
        403,
        NONE,
        r#"{"type":"error","error":{"type":"permission_error","message":"no permission"}}"#,
        "restricted",
    ),
    (
        "anthropic-api-key",
        404,
        NONE,
        r#"{"type":"error","error":{"type":"not_found_error","message":"not found"}}"#,
        "inactive",
    ),
    (
        "anthropic-api-key",
        400,
        NONE,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"credit balance is too low"}}"#,
        "unknown",
    ),
    (
        "anthropic-api-key",
        529,
        NONE,
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
        "unknown",
    ),
    ("anthropic-admin-api-key", 200, NONE, r#"{"id":"1","type":"organization","name":"kosmos"}"#, "active"),
    (
        "cloudflare-user-api-token",
        200,
        NONE,
        r#"{"result":{"id":"ed17","status":"active"},"success":true,"errors":[],"messages":[]}"#,
        "active",
    ),
    (
        "cloudflare-user-api-token",
        200,
        NONE,
        r#"{"result":{"id":"ed17","status":"disabled"},"success":true,"errors":[]}"#,
        "disabled",
    ),
    (
        "cloudflare-user-api-token",
        200,
        NONE,
        r#"{"result":{"id":"ed17","status":"expired"},"success":true,"errors":[]}"#,
        "inactive",
    ),
    (
        "cloudflare-user-api-token",
        401,
        NONE,
        r#"{"success":false,"errors":[{"code":1000,"message":"Invalid API Token"}],"messages":[],"result":null}"#,
        "inactive",
    ),
    (
        "cloudflare-user-api-token",
        400,
        NONE,
        r#"{"success":false,"errors":[{"code":6003,"message":"Invalid request headers"}],"result":null}"#,
        "unknown",
    ),
    ("github-pat", 200, GITHUB, r#"{"login":"kosmos-bot","id":1,"type":"User"}"#, "active"),
    ("github-pat", 200, NONE, r#"{"login":"kosmos-bot","id":1,"type":"User"}"#, "unknown"),
    (
        "github-pat",
        401,
        GITHUB,
        r#"{"message":"Bad credentials","documentation_url":"https://docs.github.com/rest","status":"401"}"#,
        "inactive",
    ),
    ("github-pat", 401, GITHUB, r#"{"message":"Requires authentication","status":"401"}"#, "unknown"),
    (
        "github-pat",
        403,
        GITHUB,
        r#"{"message":"Resource not accessible by integration","status":"403"}"#,
        "restricted",
    ),
    ("github-pat", 403, GITHUB, r#"{"message":"API rate limit exceeded for user ID 1."}"#, "unknown"),
    ("github-pat", 403, GITHUB, r#"{"message":"Sorry. Your account was suspended."}"#, "disabled"),
    ("github-app-token", 200, GITHUB, r#"{"total_count":3,"repositories":[]}"#, "active"),
    (
        "alibaba-secret-key",
        200,
        NONE,
        r#"{"IdentityType":"RAMUser","AccountId":"1","RequestId":"R-1","Arn":"acs:ram::1:user/kosmos","UserId":"2"}"#,
        "active",
    ),
    (
        "alibaba-secret-key",
        404,
        NONE,
        r#"{"RequestId":"R-1","HostId":"sts.aliyuncs.com","Code":"InvalidAccessKeyId.NotFound","Message":"Specified access key is not found."}"#,
        "inactive",
    ),
    (
        "alibaba-secret-key",
        400,
        NONE,
        r#"{"RequestId":"R-1","Code":"InvalidAccessKeyId.Inactive","Message":"Specified access key is disabled."}"#,
        "disabled",
    ),
    (
        "alibaba-secret-key",
        400,
        NONE,
        r#"{"RequestId":"R-1","Code":"SignatureDoesNotMatch","Message":"Specified signature is not matched with our calculation."}"#,
        "inactive",
    ),
    ("alibaba-secret-key", 403, NONE, r#"{"RequestId":"R-1","Code":"Throttling"}"#, "unknown"),
    ("langfuse-secret-key", 200, NONE, r#"{"data":[{"id":"p1","name":"kosmos","metadata":{}}]}"#, "active"),
    (
        "langfuse-secret-key",
        401,
        NONE,
        r#"{"message":"Invalid credentials. Confirm that you've configured the correct host."}"#,
        "inactive",
    ),
    ("grafana-service-account-token", 200, NONE, r#"{"dashboards:read":["dashboards:*"]}"#, "active"),
    (
        "grafana-service-account-token",
        401,
        NONE,
        r#"{"message":"Invalid API key","messageId":"api-key.invalid","statusCode":401,"traceID":""}"#,
        "inactive",
    ),
    ("grafana-admin-password", 200, NONE, r#"{"id":1,"name":"Main Org.","address":{}}"#, "active"),
    ("grafana-admin-password", 401, NONE, r#"{"message":"Invalid username or password"}"#, "inactive"),
    (
        "grafana-admin-password",
        401,
        NONE,
        r#"{"message":"too many consecutive incorrect login attempts for user - login for user temporarily blocked"}"#,
        "locked",
    ),
    ("grafana-cloud-api-token", 200, NONE, r#"{"items":[],"metadata":{}}"#, "active"),
    (
        "grafana-cloud-api-token",
        401,
        NONE,
        r#"{"code":"InvalidCredentials","message":"Token does not have required scope accesspolicies:read"}"#,
        "active",
    ),
    (
        "grafana-cloud-api-token",
        401,
        NONE,
        r#"{"code":"InvalidCredentials","message":"Token invalid"}"#,
        "inactive",
    ),
    ("grafana-cloud-api-token", 403, NONE, r#"{"code":"Forbidden","message":"not allowed"}"#, "restricted"),
    ("pagerduty-api-key", 200, NONE, r#"{"users":[],"limit":1,"offset":0,"more":false}"#, "active"),
    ("pagerduty-api-key", 401, NONE, r#"{"error":{"message":"Unauthorized","code":2006}}"#, "inactive"),
    (
        "infisical-service-token",
        200,
        NONE,
        r#"{"id":"6f7c","name":"github-actions-deploy","scopes":[{"secretPath":"/infrastructure","environment":"production"}],"permissions":["read"],"expiresAt":"2026-12-23T17:28:49.273Z","secretHash":"$2b$10$hash","projectId":"p"}"#,
        "active",
    ),
    (
        "infisical-service-token",
        401,
        NONE,
        r#"{"reqId":"req-1","statusCode":401,"message":"Invalid service token","error":"UnauthorizedError"}"#,
        "inactive",
    ),
    (
        "infisical-service-token",
        404,
        NONE,
        r#"{"reqId":"req-1","statusCode":404,"message":"Service token with ID '6f7c' not found","error":"NotFound"}"#,
        "inactive",
    ),
    (
        "infisical-service-token",
        404,
        NONE,
        r#"{"message":"Route GET:/api/v2/service-token not found","error":"Not Found","statusCode":404}"#,
        "unknown",
    ),
    (
        "infisical-service-token",
        403,
        NONE,
        r#"{"reqId":"req-1","statusCode":403,"message":"Service token has expired","error":"Forbidden"}"#,
        "inactive",
    ),
    (
        "infisical-identity-access-token",
        200,
        NONE,
        r#"{"identityDetails":{"organization":{"id":"o","name":"kosmos-org","slug":"kosmos-org-is47"}}}"#,
        "active",
    ),
    (
        "infisical-identity-access-token",
        401,
        NONE,
        r#"{"reqId":"req-1","statusCode":401,"message":"Failed to authenticate: token has been revoked","error":"UnauthorizedError"}"#,
        "inactive",
    ),
    (
        "infisical-identity-access-token",
        403,
        NONE,
        r#"{"reqId":"req-1","statusCode":403,"message":"Your token has expired. Please re-authenticate.","error":"TokenError"}"#,
        "inactive",
    ),
    (
        "infisical-client-secret",
        200,
        NONE,
        r#"{"accessToken":"t","expiresIn":2592000,"accessTokenMaxTTL":2592000,"tokenType":"Bearer"}"#,
        "active",
    ),
    (
        "infisical-client-secret",
        401,
        NONE,
        r#"{"reqId":"req-1","statusCode":401,"message":"This identity auth method is temporarily locked, please try again later","error":"UnauthorizedError"}"#,
        "locked",
    ),
    (
        "infisical-client-secret",
        401,
        NONE,
        r#"{"reqId":"req-1","statusCode":401,"message":"Invalid credentials","error":"UnauthorizedError"}"#,
        "inactive",
    ),
    (
        "infisical-client-secret",
        429,
        NONE,
        r#"{"reqId":"req-1","statusCode":429,"error":"RateLimitError"}"#,
        "unknown",
    ),
    (
        "keycloak-admin-password",
        200,
        NONE,
        r#"{"access_token":"t","expires_in":60,"token_type":"Bearer"}"#,
        "active",
    ),
    (
        "keycloak-admin-password",
        401,
        NONE,
        r#"{"error":"invalid_grant","error_description":"Invalid user credentials"}"#,
        "unknown",
    ),
    (
        "keycloak-admin-password",
        400,
        NONE,
        r#"{"error":"invalid_grant","error_description":"Account disabled"}"#,
        "disabled",
    ),
    (
        "minio-root-password",
        200,
        NONE,
        r#"<?xml version="1.0"?><ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></ListAllMyBucketsResult>"#,
        "active",
    ),
    ("minio-root-password", 403, NONE, "<Error><Code>AccessDenied</Code></Error>", "restricted"),
    ("minio-root-password", 403, NONE, "<Error><Code>InvalidAccessKeyId</Code></Error>", "inactive"),
    ("minio-root-password", 403, NONE, "<Error><Code>SignatureDoesNotMatch</Code></Error>", "inactive"),
    ("minio-root-password", 403, NONE, "<Error><Code>RequestTimeTooSkewed</Code></Error>", "unknown"),
    (
        "aws-secret-access-key",
        200,
        AWS,
        "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/k</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>",
        "active",
    ),
    (
        "aws-secret-access-key",
        403,
        AWS,
        "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>The security token included in the request is invalid.</Message></Error></ErrorResponse>",
        "inactive",
    ),
    (
        "aws-secret-access-key",
        403,
        AWS,
        "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Signature expired: 20261126T1 is now earlier than 20261126T2</Message></Error></ErrorResponse>",
        "unknown",
    ),
    ("aws-secret-access-key", 403, AWS, "<Error><Code>SignatureDoesNotMatch</Code></Error>", "unknown"),
    ("aws-secret-access-key", 403, NONE, "<Error><Code>InvalidClientTokenId</Code></Error>", "unknown"),
    ("gcp-api-key", 200, NONE, r#"{"models":[{"name":"models/x"}]}"#, "active"),
    (
        "gcp-api-key",
        400,
        NONE,
        r#"{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]}}"#,
        "inactive",
    ),
    (
        "gcp-api-key",
        403,
        NONE,
        r#"{"error":{"code":403,"message":"Generative Language API has not been used","status":"PERMISSION_DENIED","details":[{"reason":"SERVICE_DISABLED"}]}}"#,
        "restricted",
    ),
    ("gcp-api-key", 403, NONE, r#"{"error":{"code":403,"status":"PERMISSION_DENIED"}}"#, "unknown"),
    (
        "azure-ad-client-secret",
        401,
        NONE,
        r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided.","error_codes":[7000215]}"#,
        "inactive",
    ),
    (
        "azure-ad-client-secret",
        400,
        NONE,
        r#"{"error":"unauthorized_client","error_codes":[700016]}"#,
        "unknown",
    ),
    ("azure-storage-account-key", 200, AZURE, "<EnumerationResults ServiceEndpoint=\"x\"/>", "active"),
    ("azure-storage-account-key", 403, AZURE, "<Error><Code>AuthenticationFailed</Code></Error>", "inactive"),
    (
        "slack-bot-token",
        200,
        NONE,
        r#"{"ok":true,"url":"https://kosmos.slack.com/","team":"Kosmos","user":"bot","team_id":"T1","user_id":"U1"}"#,
        "active",
    ),
    ("slack-bot-token", 200, NONE, r#"{"ok":false,"error":"invalid_auth"}"#, "inactive"),
    ("slack-bot-token", 200, NONE, r#"{"ok":false,"error":"token_revoked"}"#, "inactive"),
    ("slack-bot-token", 200, NONE, r#"{"ok":false,"error":"account_inactive"}"#, "disabled"),
    ("slack-bot-token", 200, NONE, r#"{"ok":false,"error":"missing_scope"}"#, "restricted"),
    ("slack-bot-token", 200, NONE, r#"{"ok":false,"error":"internal_error"}"#, "unknown"),
    ("slack-webhook-url", 400, NONE, "no_text", "active"),
    ("slack-webhook-url", 404, NONE, "no_service", "inactive"),
    ("slack-webhook-url", 200, NONE, "ok", "unknown"),
    ("stripe-access-token", 200, NONE, r#"{"id":"acct_1","object":"account"}"#, "active"),
    (
        "stripe-access-token",
        401,
        NONE,
        r#"{"error":{"message":"Invalid API Key provided: sk_live_****","type":"invalid_request_error"}}"#,
        "inactive",
    ),
    (
        "stripe-access-token",
        403,
        NONE,
        r#"{"error":{"message":"The provided key does not have the required permissions for this endpoint","type":"invalid_request_error"}}"#,
        "restricted",
    ),
    ("twilio-auth-token", 200, NONE, r#"{"accounts":[{"sid":"AC1","status":"active"}],"page":0}"#, "active"),
    (
        "twilio-auth-token",
        200,
        NONE,
        r#"{"accounts":[{"sid":"AC1","status":"suspended"}],"page":0}"#,
        "restricted",
    ),
    (
        "twilio-auth-token",
        401,
        NONE,
        r#"{"code":20003,"message":"Authenticate","more_info":"https://www.twilio.com/docs/errors/20003","status":401}"#,
        "inactive",
    ),
    (
        "sendgrid-api-token",
        401,
        NONE,
        r#"{"errors":[{"field":null,"message":"The provided authorization grant is invalid, expired, or revoked"}]}"#,
        "inactive",
    ),
    (
        "gitlab-pat",
        200,
        NONE,
        r#"{"id":4,"name":"ci","revoked":false,"scopes":["api"],"active":true}"#,
        "active",
    ),
    (
        "gitlab-pat",
        200,
        NONE,
        r#"{"id":4,"name":"ci","revoked":true,"scopes":["api"],"active":false}"#,
        "inactive",
    ),
    ("gitlab-pat", 401, NONE, r#"{"message":"401 Unauthorized"}"#, "inactive"),
    (
        "gitlab-pat",
        401,
        NONE,
        r#"{"error":"invalid_token","error_description":"Token was revoked."}"#,
        "inactive",
    ),
    ("gitlab-pat", 403, NONE, r#"{"error":"insufficient_scope","scope":"api read_api"}"#, "restricted"),
    (
        "digitalocean-pat",
        401,
        NONE,
        r#"{"id":"Unauthorized","message":"Unable to authenticate you"}"#,
        "inactive",
    ),
    (
        "telegram-bot-api-token",
        200,
        NONE,
        r#"{"ok":true,"result":{"id":1,"is_bot":true,"first_name":"K","username":"kosmos_bot"}}"#,
        "active",
    ),
    (
        "telegram-bot-api-token",
        401,
        NONE,
        r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#,
        "inactive",
    ),
    (
        "telegram-bot-api-token",
        404,
        NONE,
        r#"{"ok":false,"error_code":404,"description":"Not Found"}"#,
        "unknown",
    ),
    ("discord-bot-token", 401, NONE, r#"{"message":"401: Unauthorized","code":0}"#, "inactive"),
    ("discord-webhook-url", 404, NONE, r#"{"message":"Unknown Webhook","code":10015}"#, "inactive"),
    ("datadog-api-key", 200, NONE, r#"{"valid":true}"#, "active"),
    ("datadog-api-key", 403, NONE, r#"{"errors":["Forbidden"]}"#, "inactive"),
    ("vault-service-token", 403, NONE, r#"{"errors":["permission denied"]}"#, "unknown"),
    (
        "vault-service-token",
        403,
        NONE,
        r#"{"errors":["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]}"#,
        "inactive",
    ),
    (
        "vercel-access-token",
        403,
        NONE,
        r#"{"error":{"code":"forbidden","message":"Not authorized","invalidToken":true}}"#,
        "inactive",
    ),
    ("sentry-org-token", 200, NONE, r#"{"version":"0","auth":null,"user":null}"#, "unknown"),
    ("sentry-org-token", 401, NONE, r#"{"detail":"Invalid token"}"#, "inactive"),
    ("mapbox-secret-token", 200, NONE, r#"{"code":"TokenRevoked"}"#, "inactive"),
];

fn outcome((rule, status, headers, body, _): &Case) -> Outcome {
    let value = Secret::new("v".repeat(40));
    let credential = Credential { rule, value: &value, companions: Vec::new() };
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let answer = Answer { status: *status, headers, body: Secret::new(*body) };
    check_of(rule).unwrap().read(&credential, &answer)
}

#[test]
fn answers_of_the_services_mean_what_their_references_say() {
    let mut wrong = Vec::new();
    for case in CASES {
        let verdict = outcome(case).verdict.to_string();
        let word = verdict.split('(').next().unwrap_or_default();
        if word != case.4 {
            wrong.push(format!("{} {} {}: {verdict}, not {}", case.0, case.1, case.3, case.4));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

fn detail(rule: &str, verdict: &str) -> Option<String> {
    let case = CASES.iter().find(|case| case.0 == rule && case.4 == verdict).unwrap();
    outcome(case).detail
}

#[test]
fn details_tell_whose_secret_it_is_and_nothing_more() {
    assert_eq!(detail("github-pat", "active").as_deref(), Some("account kosmos-bot; scopes repo, workflow"));
    assert_eq!(detail("huggingface-access-token", "active").as_deref(), Some("account kosmos; role read"));
    let infisical = detail("infisical-service-token", "active").unwrap();
    assert_eq!(infisical, "expires 2026-12-23T17:28:49.273Z; name github-actions-deploy; permissions read");
    assert_eq!(detail("infisical-client-secret", "active"), None);
}

#[test]
fn a_detail_is_cut_and_holds_no_control_characters() {
    let body = format!(r#"{{"login":"a\u001b[31m{}"}}"#, "b".repeat(500));
    let value = Secret::new("v".repeat(40));
    let credential = Credential { rule: "github-pat", value: &value, companions: Vec::new() };
    let headers = vec![("x-github-request-id".to_owned(), "1".to_owned())];
    let answer = Answer { status: 200, headers, body: Secret::new(body) };
    let detail = check_of("github-pat").unwrap().read(&credential, &answer).detail.unwrap();
    assert_eq!(detail.chars().count(), "account ".len() + MAX_DETAIL);
    assert!(!detail.contains('\u{1b}'));
}
