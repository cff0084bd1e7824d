//! What is done with each crate. The macros do it with the crate before and after.

use std::convert::Infallible;
use std::future::Future;

use crate::names::{of_enter_span, of_fastrace, of_tracing};

type Pair = (Vec<String>, Vec<String>);

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(future)
}

macro_rules! cache {
    ($krate:ident) => {{
        let cache: $krate::Cache<u64, u64> = $krate::CacheBuilder::new(16).build();
        cache.insert(1, 1);
        cache.get(&1);
        cache.contains(&2);
        cache.remove(&1);
        cache.clear();
    }};
}

pub fn foyer_memory() -> Pair {
    let before = of_fastrace(|| cache!(foyer_memory));
    (before, of_enter_span(|| cache!(migrated_foyer_memory)))
}

macro_rules! process {
    ($krate:ident) => {{
        use $krate::std::{CommandWrap, ProcessGroup};
        let mut command = CommandWrap::with_new("true", |_| {});
        command.wrap(ProcessGroup::leader());
        let mut child = command.spawn().expect("`true` runs");
        child.wait().expect("it ends");
    }};
}

pub fn process_wrap() -> Pair {
    let before = of_tracing("process_wrap", || process!(process_wrap));
    (before, of_enter_span(|| process!(migrated_process_wrap)))
}

macro_rules! session {
    ($krate:ident) => {{
        use $krate::session::{Id, Record, Session};
        use $krate::session_store::{Result, SessionStore};

        #[derive(Debug)]
        struct Empty;

        #[async_trait::async_trait]
        impl SessionStore for Empty {
            async fn save(&self, _: &Record) -> Result<()> {
                Ok(())
            }

            async fn load(&self, _: &Id) -> Result<Option<Record>> {
                Ok(None)
            }

            async fn delete(&self, _: &Id) -> Result<()> {
                Ok(())
            }
        }

        block_on(async {
            let session = Session::new(None, std::sync::Arc::new(Empty), None);
            session.insert("key", 7).await.expect("it is stored");
            session.save().await.expect("it is saved");
            session.load().await.expect("it is loaded");
            session.delete().await.expect("it is deleted");
        });
    }};
}

pub fn tower_sessions_core() -> Pair {
    let before = of_tracing("tower_sessions_core", || session!(tower_sessions_core));
    (
        before,
        of_enter_span(|| session!(migrated_tower_sessions_core)),
    )
}

macro_rules! login {
    ($krate:ident) => {{
        use axum::body::Body;
        use axum::http::{Request, Response};
        use tower::{Layer as _, ServiceExt as _};
        use tower_sessions::{MemoryStore, SessionManagerLayer};
        use $krate::{AuthManagerLayerBuilder, AuthSession, AuthUser, AuthnBackend, UserId};

        #[derive(Clone, Debug)]
        struct User(u64);

        impl AuthUser for User {
            type Id = u64;

            fn id(&self) -> u64 {
                self.0
            }

            fn session_auth_hash(&self) -> &[u8] {
                b"hash"
            }
        }

        #[derive(Clone)]
        struct Backend;

        impl AuthnBackend for Backend {
            type User = User;
            type Credentials = u64;
            type Error = Infallible;

            async fn authenticate(&self, id: u64) -> Result<Option<User>, Infallible> {
                Ok(Some(User(id)))
            }

            async fn get_user(&self, id: &UserId<Self>) -> Result<Option<User>, Infallible> {
                Ok(Some(User(*id)))
            }
        }

        let sessions = SessionManagerLayer::new(MemoryStore::default());
        let layer = AuthManagerLayerBuilder::new(Backend, sessions).build();
        let service = tower::service_fn(|request: Request<Body>| async move {
            let session = request.extensions().get::<AuthSession<Backend>>();
            let mut session = session.expect("a session").clone();
            let user = session
                .authenticate(7)
                .await
                .expect("no error")
                .expect("a user");
            session.login(&user).await.expect("logs in");
            session.logout().await.expect("logs out");
            Ok::<_, Infallible>(Response::new(Body::empty()))
        });
        let request = Request::new(Body::empty());
        block_on(layer.layer(service).oneshot(request)).expect("an answer");
    }};
}

pub fn axum_login() -> Pair {
    let before = of_tracing("axum_login", || login!(axum_login));
    (before, of_enter_span(|| login!(migrated_axum_login)))
}
