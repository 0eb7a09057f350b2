//! The OpenAPI document: what all operations have in common is said here, once.

use doorstep_api::ids::DriverText;
use doorstep_api::number::{PageLimit, RadiusM};
use doorstep_api::orders::{DriverAt, OrderView};
use doorstep_api::problem::ProblemBody;
use doorstep_api::quotes::WantedItem;
use doorstep_api::restaurants::NewItem;
use doorstep_api::text::{IdempotencyKey, OrderPart, RequestId, SearchText};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Content, Header, OpenApi as Document, PathItem, Ref, RefOr, Response, ResponseBuilder,
};
use utoipa::{Modify, OpenApi};

const PROBLEM_JSON: &str = "application/problem+json";
/// The webhook authenticates by a signature and reads its raw body.
const WEBHOOK: &str = "/v1/payments/webhook";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Doorstep control plane",
        description = "Restaurants, orders, payments and deliveries of a city.\n\n\
            Times are Unix milliseconds of the city's clock, amounts are integers in minor units of their currency. Requests with \
            fields that are not documented are refused. Every error has a body of `application/problem+json` (RFC 9457); its \
            `code` is stable. Every answer has a header `x-request-id`: the one that the request brought, if it has 1 to 64 letters, digits and \
            hyphens, else a new one.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/", description = "The server that this document came from.")),
    tags(
        (name = "customers", description = "Registration of customers."),
        (name = "restaurants", description = "Restaurants, their menus and their open orders."),
        (name = "orders", description = "Quotes, orders, their commands, tracking and receipts."),
        (name = "reviews", description = "Reviews of delivered orders."),
        (name = "payments", description = "Webhooks of the payment gateway."),
        (name = "admin", description = "Operators: counts, ledger, repair, manual assignment."),
        (name = "city view", description = "What the city view and the commands `doorstep why` and `doorstep assign` ask."),
    ),
    components(schemas(
        ProblemBody, OrderView, DriverAt, NewItem, WantedItem, IdempotencyKey, OrderPart, RequestId, SearchText, PageLimit, RadiusM, DriverText
    )),
    modifiers(&SecuritySchemes)
)]
pub(super) struct ApiDocument;

struct SecuritySchemes;

impl Modify for SecuritySchemes {
    fn modify(&self, document: &mut Document) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("ds1")
            .description(Some(
                "A token of `doorstep token`, or of the answer to a registration. Its audience is `customer`, `restaurant` or `admin`.",
            ))
            .build();
        let signature = ApiKeyValue::with_description(
            "doorstep-signature",
            "`t=SECONDS,v1=HEX`: Unix seconds, and HMAC-SHA256 of `SECONDS.BODY` with the secret that is shared with the gateway.",
        );
        let cookie = ApiKeyValue::with_description(
            "doorstep_city",
            "An admin token, as the city view sets it.",
        );
        let components = document.components.get_or_insert_default();
        for (name, scheme) in [
            ("bearer", SecurityScheme::Http(bearer)),
            (
                "gateway_signature",
                SecurityScheme::ApiKey(ApiKey::Header(signature)),
            ),
            (
                "city_cookie",
                SecurityScheme::ApiKey(ApiKey::Cookie(cookie)),
            ),
        ] {
            components.add_security_scheme(name, scheme);
        }
    }
}

/// A response that several operations have.
struct Shared {
    status: &'static str,
    description: &'static str,
    applies: fn(&Facts) -> bool,
}

/// What decides which shared responses an operation has.
struct Facts {
    is_secured: bool,
    has_input: bool,
    has_json_body: bool,
    has_body: bool,
}

const SHARED: &[Shared] = &[
    Shared {
        status: "400",
        description: "The request cannot be read: `invalid_body`, `invalid_query`, `idempotency_key_missing`, `idempotency_key_invalid` or `bad_request`.",
        applies: |facts| facts.has_input,
    },
    Shared {
        status: "401",
        description: "`unauthorized`: the token is missing, wrong or expired.",
        applies: |facts| facts.is_secured,
    },
    Shared {
        status: "408",
        description: "`timeout`: the body did not arrive in time.",
        applies: |facts| facts.has_body,
    },
    Shared {
        status: "413",
        description: "`too_large` or `invalid_body`: the body has more than 256 KiB.",
        applies: |facts| facts.has_body,
    },
    Shared {
        status: "415",
        description: "`invalid_body`: the content type is not `application/json`.",
        applies: |facts| facts.has_json_body,
    },
    Shared {
        status: "429",
        description: "`too_many_requests`: wait as long as `retry-after` says.",
        applies: |_| true,
    },
    Shared {
        status: "500",
        description: "`internal`: the server failed.",
        applies: |_| true,
    },
    Shared {
        status: "503",
        description: "`timeout`: the request took too long, or `unavailable`: the server cannot serve it now. Send it again.",
        applies: |_| true,
    },
];

/// Adds the responses that are the same everywhere, the bodies of errors, and the headers of all responses.
pub(super) fn complete(mut document: Document) -> Document {
    for (path, item) in &mut document.paths.paths {
        for operation in operations(item) {
            let facts = facts(path, operation);
            for shared in SHARED.iter().filter(|shared| (shared.applies)(&facts)) {
                let response = ResponseBuilder::new().description(shared.description);
                operation
                    .responses
                    .responses
                    .entry(shared.status.to_owned())
                    .or_insert_with(|| RefOr::T(response.build()));
            }
            for (status, response) in &mut operation.responses.responses {
                if let RefOr::T(response) = response {
                    complete_response(status, response);
                }
            }
        }
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem {
        get,
        put,
        post,
        delete,
        patch,
        ..
    } = item;
    [get, put, post, delete, patch]
        .into_iter()
        .filter_map(Option::as_mut)
}

fn facts(path: &str, operation: &Operation) -> Facts {
    let has_body = operation.request_body.is_some();
    let has_parameters = operation
        .parameters
        .as_ref()
        .is_some_and(|all| !all.is_empty());
    let security = operation.security.as_deref().unwrap_or_default();
    let is_open = security.is_empty()
        || serde_json::to_value(security).is_ok_and(|all| all == serde_json::json!([{}]));
    Facts {
        is_secured: !is_open,
        has_input: has_body || has_parameters,
        has_json_body: has_body && path != WEBHOOK,
        has_body,
    }
}

fn complete_response(status: &str, response: &mut Response) {
    if status.starts_with(['4', '5']) {
        let body = Content::new(Some(Ref::from_schema_name("ProblemBody")));
        response
            .content
            .insert(PROBLEM_JSON.to_owned(), body.into());
    }
    let mut header = |name: &str, header: Header| {
        response.headers.insert(name.to_owned(), header.into());
    };
    let request_id = Ref::from_schema_name("RequestId");
    header(
        "x-request-id",
        described(request_id.into(), "Name of the request in the logs."),
    );
    match status {
        "401" => header(
            "www-authenticate",
            described(text(), "The scheme that is needed: `Bearer`."),
        ),
        "429" | "503" => header(
            "retry-after",
            described(
                integer(),
                "Seconds after which the request may be sent again.",
            ),
        ),
        _ => {}
    }
}

fn described(schema: RefOr<utoipa::openapi::Schema>, description: &str) -> Header {
    HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some(description))
        .build()
}

fn text() -> RefOr<utoipa::openapi::Schema> {
    RefOr::T(ObjectBuilder::new().schema_type(Type::String).into())
}

fn integer() -> RefOr<utoipa::openapi::Schema> {
    let integer = ObjectBuilder::new().schema_type(Type::Integer);
    RefOr::T(integer.minimum(Some(0)).into())
}
