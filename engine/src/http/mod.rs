//! HTTP requests to the server: what they mean, whom they ask, what is answered.
