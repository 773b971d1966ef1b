//! The page and what it links.

use crate::support::Server;

#[tokio::test]
async fn the_page_links_one_style_one_script_and_one_image_that_exist() {
    let server = Server::start(&[]).await;
    let page = server.client().get("/").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    let links = [
        ("/static/style.css", "text/css; charset=utf-8"),
        ("/static/page.js", "text/javascript; charset=utf-8"),
        ("/static/logo.svg", "image/svg+xml"),
    ];
    for (path, media_type) in links {
        assert!(page.text().contains(&format!("\"{path}\"")), "{path} is linked");
        let file = server.client().get(path).await;
        assert_eq!((file.status, file.header("content-type")), (200, media_type));
        assert_eq!(server.client().with("if-none-match", file.header("etag")).get(path).await.status, 304);
    }
}
