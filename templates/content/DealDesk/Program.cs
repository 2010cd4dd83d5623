using Bitrix24Placements;
//#if (!empty)
using DealDesk;
using DealDesk.Deals;
//#endif

var builder = WebApplication.CreateBuilder(args);
builder.AddBitrix24Placements();
//#if (!empty)
builder.Services.AddOptions<DealDeskOptions>().BindConfiguration(DealDeskOptions.Section).ValidateDataAnnotations().ValidateOnStart();
builder.Services.AddSingleton<CommentLog>();
builder.Services.AddSingleton<DealPage>();
//#endif

var app = builder.Build();
app.UseBitrix24Placements();
//#if (!empty)
app.UseStaticFiles();
//#endif
app.MapBitrix24Placements();
//#if (empty)
app.MapRestAppUri((RestAppUriRequest request) => Results.Text($"Hello, user {request.UserId} of {request.Portal.Domain}."));
//#else
app.MapDeals();
//#endif
app.Run();
