"""A real web service that publishes its own OpenAPI 3.1 document: FastAPI under uvicorn.

python tests/openapi_service.py      prints the port it listens on, then serves until it is killed
"""

from __future__ import annotations

import socket
import sys
from typing import Annotated, Any

import uvicorn
from fastapi import Cookie, Depends, FastAPI, File, Form, Header, Path, Query, Response, UploadFile
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from fastapi.security import APIKeyCookie, APIKeyHeader, APIKeyQuery, HTTPBasic, HTTPBasicCredentials, HTTPBearer
from pydantic import BaseModel, Field

app = FastAPI(title="Echo")
effects: list[str] = []


class Node(BaseModel):
    """A tree."""

    name: str
    weight: float | None = Field(default=None, gt=0)
    children: list[Node] = []


class Order(BaseModel):
    article: str = Field(description="What to buy")
    count: int = Field(default=1, ge=1)
    note: str | None = None


@app.get("/items/{item}", operation_id="get item!", summary="One item.", tags=["items"])
def get_item(
    item: str,
    flag: bool | None = None,
    words: Annotated[list[str] | None, Query()] = None,
    number: Annotated[float | None, Query(le=1000)] = None,
    text: str | None = None,
) -> dict[str, Any]:
    return {"item": item, "flag": flag, "words": words, "number": number, "text": text}


@app.get("/items/{item}/admin", operation_id="admin", tags=["items"])
def get_admin(item: str) -> dict[str, Any]:
    return {"admin": item}


@app.get("/whole/{path:path}", operation_id="whole")
def get_whole(path: str) -> dict[str, Any]:
    return {"path": path}


@app.get("/numbers/{number}", operation_id="number")
def get_number(number: Annotated[int, Path(ge=0)], id: int = 0) -> dict[str, Any]:
    return {"number": number, "id": id}


@app.get("/headers", operation_id="headers")
def get_headers(
    x_word: Annotated[str | None, Header()] = None, colour: Annotated[str | None, Cookie()] = None
) -> dict[str, Any]:
    return {"x_word": x_word, "colour": colour}


@app.post("/orders/{number}", operation_id="order", tags=["orders"])
def post_order(number: int, order: Order, express: bool = False) -> dict[str, Any]:
    return {"number": number, "express": express, **order.model_dump()}


@app.post("/trees", operation_id="tree")
def post_tree(nodes: list[Node]) -> int:
    def size(node: Node) -> int:
        return 1 + sum(map(size, node.children))

    return sum(map(size, nodes))


@app.post("/form", operation_id="form")
def post_form(name: Annotated[str, Form()], tags: Annotated[list[str] | None, Form()] = None) -> dict[str, Any]:
    return {"name": name, "tags": tags}


@app.post("/upload", operation_id="upload")
async def post_upload(file: Annotated[UploadFile, File()], title: Annotated[str, Form()] = "") -> dict[str, Any]:
    return {"name": file.filename, "content": (await file.read()).decode(), "title": title}


@app.get("/secret/header", operation_id="header_key")
def header_key(key: Annotated[str, Depends(APIKeyHeader(name="X-Key", scheme_name="HeaderKey"))]) -> dict[str, str]:
    return {"you sent": key}


@app.get("/secret/query", operation_id="query_key")
def query_key(key: Annotated[str, Depends(APIKeyQuery(name="key", scheme_name="QueryKey"))]) -> Response:
    return PlainTextResponse(f"no: {key} is wrong", status_code=403)


@app.get("/secret/cookie", operation_id="cookie_key")
def cookie_key(key: Annotated[str, Depends(APIKeyCookie(name="session", scheme_name="CookieKey"))]) -> bool:
    return key == "cookie-secret"


@app.get("/secret/basic", operation_id="basic")
def basic(who: Annotated[HTTPBasicCredentials, Depends(HTTPBasic(scheme_name="Basic"))]) -> dict[str, str]:
    return {"user": who.username, "password": who.password}


@app.get("/secret/bearer", operation_id="bearer")
def bearer(token: Annotated[Any, Depends(HTTPBearer(scheme_name="Bearer"))]) -> dict[str, str]:
    return {"token": token.credentials}


@app.delete("/nothing", operation_id="nothing", status_code=204)
def nothing() -> None:
    return None


@app.get("/text", operation_id="text", response_class=PlainTextResponse)
def text() -> str:
    return "two\nlines"


@app.get("/image", operation_id="image")
def image() -> Response:
    return Response(b"\x89PNG\0\0", media_type="image/png")


@app.get("/page", operation_id="page", responses={200: {"model": Order}})
def page() -> Response:
    return HTMLResponse("<html><head><title>Log in</title><style>x</style></head><body>Please <b>log in</b></body>")


@app.get("/moved", operation_id="moved")
def moved() -> Response:
    return RedirectResponse("http://169.254.169.254/latest?token=1")


@app.post("/pay", operation_id="pay")
def pay(
    idempotency_key: Annotated[str, Header()], response: Response, amount: Annotated[int, Query()]
) -> dict[str, Any]:
    """Fails once for each key, after the money has moved."""
    response.status_code = 200 if idempotency_key in effects else 503
    if idempotency_key not in effects:
        effects.append(idempotency_key)
    return {"payments": len(effects), "amount": amount}


@app.post("/fail", operation_id="fail")
def fail(response: Response) -> dict[str, int]:
    effects.append("fail")
    response.status_code = 503
    return {"calls": effects.count("fail")}


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off")).run(sockets=[listener])
    sys.exit(0)
