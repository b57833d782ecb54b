//! The API of docs/loadtest.md with Actix: loadtest-actix PORT

#[path = "../../answers/answers.rs"]
mod answers;

use actix_web::{web, App, Error, HttpResponse, HttpServer};
use answers::{hello, sum, Numbers, NOT_FOUND, NO_NUMBERS};

async fn get_hello(name: web::Path<String>) -> HttpResponse {
    HttpResponse::Ok().json(hello(&name))
}

async fn post_sum(given: Result<web::Json<Numbers>, Error>) -> HttpResponse {
    match given {
        Ok(numbers) => HttpResponse::Ok().json(sum(&numbers)),
        Err(_) => HttpResponse::BadRequest().json(NO_NUMBERS),
    }
}

async fn not_found() -> HttpResponse {
    HttpResponse::NotFound().json(NOT_FOUND)
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let port: u16 = std::env::args().nth(1).and_then(|port| port.parse().ok()).expect("PORT");
    HttpServer::new(|| {
        App::new()
            .service(
                web::resource("/hello/{name}")
                    .route(web::get().to(get_hello))
                    .default_service(web::to(not_found)),
            )
            .service(
                web::resource("/sum")
                    .route(web::post().to(post_sum))
                    .default_service(web::to(not_found)),
            )
            .default_service(web::to(not_found))
    })
    .workers(1) // every stack has one core
    .bind(("127.0.0.1", port))?
    .run()
    .await
}
