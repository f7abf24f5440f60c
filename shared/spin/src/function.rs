//! The entry point of a component.

/// Makes the entry point of a component from an expression: a function that takes the host's request and returns a future with
/// the response. This is the SDK's `http_service` without its conversion of requests.
#[macro_export]
macro_rules! http_function {
    ($answer:expr) => {
        struct Function;

        ::spin_sdk::wasip3::http::service::export!(Function);

        impl ::spin_sdk::wasip3::exports::http::handler::Guest for Function {
            async fn handle(
                request: ::spin_sdk::wasip3::http::types::Request,
            ) -> Result<::spin_sdk::wasip3::http::types::Response, ::spin_sdk::wasip3::http::types::ErrorCode>
            {
                $answer(request).await
            }
        }
    };
}
